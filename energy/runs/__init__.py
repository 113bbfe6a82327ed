"""Run folders: write, read, recompute."""
