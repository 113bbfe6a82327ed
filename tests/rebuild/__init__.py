"""The program rebuilt from docs/formulation.md and docs/arrays.md and a run folder alone; nothing of the package is used."""
