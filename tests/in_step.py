"""Generated files that must be in step with the code: ``python -m tests.in_step``."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks import cooling_table, plant_parameters
from energy.cli import templates
from energy.program import formulation
from energy.schema import markdown

CHECKOUT = Path(__file__).parents[1]


def expected() -> dict[str, str]:
    """Path in the checkout -> content it must have."""
    schemas = {f"docs/schemas/{name}.schema.json": templates.text(name) for name in templates.FILES}
    pages = {
        "docs/formulation.md": formulation(),
        "docs/arrays.md": markdown(),
        "docs/cooling.md": cooling_table.page(),
        "docs/plants.md": plant_parameters.page(),
    }
    return pages | schemas


def stale() -> list[str]:
    """Generated files that differ from what the code generates."""
    out = []
    for name, text in expected().items():
        path = CHECKOUT / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            out.append(name)
    return out


if __name__ == "__main__":
    if late := stale():
        sys.exit(f"not in step with the code: {', '.join(late)}; run make docs")
    print("generated files are in step")
