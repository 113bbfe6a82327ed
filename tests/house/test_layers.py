"""Layers import downward only: the table of the design, enforced by reading the imports."""

import ast
from pathlib import Path

import pytest

import energy

PACKAGE = Path(energy.__file__).parent
#: Rooms from the ground up: each may import the rooms of its row. A room that has no row is an error.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "schema": set(),
    "plant": set(),
    "series": {"errors", "schema"},
    "forecast": {"schema"},
    "inputs": {"errors", "plant", "schema", "series"},
    "problem": {"errors", "inputs", "plant", "schema", "series"},
    "program": {"schema"},
    "solve": {"program", "schema"},
    "schedule": {"errors", "schema", "series"},
    "audit": {"errors", "inputs", "plant", "schedule", "schema", "series"},
    "sources": {"errors", "schema", "series"},
}
MAY_IMPORT["optimize"] = {"audit", "errors", "inputs", "problem", "program", "schedule", "schema", "solve"}
MAY_IMPORT["attribution"] = MAY_IMPORT["optimize"] | {"optimize"}
MAY_IMPORT["runs"] = {"errors", "inputs", "optimize", "schedule", "schema", "series", "solve"}
MAY_IMPORT["report"] = {"runs", "schema", "series"}
MAY_IMPORT["plant_study"] = {"errors", "inputs", "plant", "problem", "report", "schema", "series"}
MAY_IMPORT["fetch"] = {"errors", "inputs", "schema", "series", "sources"}
MAY_IMPORT["handover"] = {"errors", "report", "runs", "schema", "series"}
MAY_IMPORT["nightly"] = set(MAY_IMPORT) - {"attribution", "plant_study", "program"}
MAY_IMPORT["cli"] = set(MAY_IMPORT)
MAY_IMPORT["__main__"] = {"cli"}
#: Third-party packages that a room must do without.
MUST_NOT_IMPORT = {
    "program": {"pandas", "requests", "ruamel", "highspy", "yaml"},
    "plant": {"pandas", "requests", "ruamel", "pyomo", "highspy", "xarray"},
    "audit": {"pyomo", "highspy"},
    "report": {"pyomo", "highspy", "requests"},
    "forecast": {"pyomo", "highspy", "requests", "xarray"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{a.name}" for a in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_room_imports_only_what_its_row_allows(path):
    mine = room(path)
    if mine == "__init__":
        return
    used = {n.split(".")[1] for n in imported(path) if n.startswith("energy.")}
    rooms = {n for n in used if (PACKAGE / n).is_dir() or (PACKAGE / f"{n}.py").is_file()} - {mine}
    assert rooms <= MAY_IMPORT[mine], f"{mine} may not import {sorted(rooms - MAY_IMPORT[mine])}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_room_does_without_what_is_not_its_business(path):
    outside = {n.split(".")[0] for n in imported(path)}
    if path.name == "photovoltaics.py":
        outside.discard("pandas")  # pvlib's sun position takes pandas times
    assert not outside & MUST_NOT_IMPORT.get(room(path), set())


def test_only_solve_imports_the_solver():
    users = {room(p) for p in FILES if any(n.split(".")[0] == "highspy" for n in imported(p))}
    assert users == {"solve"}


#: A file is one idea: so many lines at most; a function is one thought.
MOST_LINES, MOST_FUNCTION_LINES = 500, 60


def test_files_and_functions_stay_readable():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= MOST_LINES, f"{path} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                docstring = (ast.get_docstring(node) or "").count("\n")
                assert node.end_lineno - node.lineno - docstring <= MOST_FUNCTION_LINES, f"{path}: {node.name}"


def modules() -> dict[str, Path]:
    """Module name -> file; a package is its ``__init__``."""
    parts = {p: p.relative_to(PACKAGE.parent).with_suffix("").parts for p in FILES}
    return {".".join(m[:-1] if m[-1] == "__init__" else m): p for p, m in parts.items()}


def arrows() -> dict[str, set[str]]:
    """Module -> modules of the package that it imports, those behind TYPE_CHECKING and inside functions too."""
    known = modules()
    return {m: {n for n in imported(p) if n in known} - {m, m.rpartition(".")[0]} for m, p in known.items()}


def test_rows_stand_on_rows_above_them():
    """No arrow upward: a room's row names only rooms that come before it, two rooms never name each other."""
    for mine, below in MAY_IMPORT.items():
        for other in below - {mine}:
            assert mine not in MAY_IMPORT[other], f"{mine} and {other} import each other"


def test_files_import_in_no_circle():
    below = arrows()
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, "circle: " + " -> ".join((*path[path.index(module) :], module))
        if module not in done:
            for other in sorted(below[module]):
                visit(other, (*path, module))
            done.add(module)

    for module in below:
        visit(module, ())


#: A file shorter than this, used by one other file alone, belongs into that file.
CRUMB_LINES = 80
#: Rooms with one file for each kind by design: a new kind is a new file.
FAMILIES = ("program", "plant/archetypes", "inputs/components", "sources/providers", "cli")
#: Short files with one user that stay apart, and why.
APART = {
    "__main__.py": "what `python -m energy` runs",
    "handover/apply.py": "the only place that changes a scheduler, read in one look",
}


def test_no_crumbs():
    below = arrows()
    users = {m: {u for u, used in below.items() if m in used} for m in below}
    for package in (m for m, p in modules().items() if p.name == "__init__.py"):
        for module in below[package]:  # what a room hands out is used by those who import the room
            users[module] |= users[package]
    crumbs = {
        str(path.relative_to(PACKAGE)): users[module]
        for module, path in modules().items()
        if path.name != "__init__.py"
        and path.read_text(encoding="utf-8").count("\n") < CRUMB_LINES
        and len(users[module]) <= 1
        and not str(path.relative_to(PACKAGE)).startswith(FAMILIES)
    }
    assert set(crumbs) <= set(APART), crumbs
    assert all((PACKAGE / name).is_file() for name in APART)
