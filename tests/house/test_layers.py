"""Layers import downward only: the table of the design, enforced by reading the imports."""

import ast
from pathlib import Path

import pytest

import energy

PACKAGE = Path(energy.__file__).parent
MAY_IMPORT = {
    "schema": set(),
    "plant": set(),
    "sources": {"schema"},
    "inputs": {"schema"},
    "problem": {"inputs", "plant", "sources", "schema"},
    "program": {"schema"},
    "solve": {"program", "schema"},
    "plan": {"schema"},
    "audit": {"schema", "inputs", "plant"},
    "report": {"schema"},
    "forecast": {"schema"},
}
MAY_IMPORT["fetch"] = {"inputs", "sources", "schema"}
MAY_IMPORT["live_case"] = {"fetch", "inputs", "sources", "schema"}
MAY_IMPORT["optimize"] = set(MAY_IMPORT)
MAY_IMPORT["pue"] = {"inputs", "plant", "problem", "report", "schema"}
MAY_IMPORT["attribution"] = set(MAY_IMPORT)
MAY_IMPORT["operate"] = {
    "optimize", "attribution", "report", "schema", "plan", "inputs", "problem", "audit", "plant", "forecast", "solve", "codes",
    "handover",
}  # fmt: skip
MAY_IMPORT["live_rates"] = {"inputs"}
MAY_IMPORT["live_night"] = {"fetch", "inputs", "live_case", "live_rates", "operate", "sources", "schema"}
MAY_IMPORT["checkup"] = {"fetch", "operate", "sources"}
MAY_IMPORT["handover"] = {"inputs", "report", "schema"}
MAY_IMPORT["codes"] = set()
MAY_IMPORT["exits"] = {"codes", "inputs", "operate", "plant", "schema", "solve", "sources"}
MAY_IMPORT["screen"] = set(MAY_IMPORT)
MAY_IMPORT["handing"] = set(MAY_IMPORT)
MAY_IMPORT["live"] = set(MAY_IMPORT)
MAY_IMPORT["kept"] = set(MAY_IMPORT)
MAY_IMPORT["nights"] = set(MAY_IMPORT)
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
    if path.name == "solar.py":
        outside.discard("pandas")  # pvlib's sun position takes pandas times
    assert not outside & MUST_NOT_IMPORT.get(room(path), set())


def test_only_solve_imports_the_solver():
    users = {room(p) for p in FILES if any(n.split(".")[0] == "highspy" for n in imported(p))}
    assert users == {"solve"}


def test_files_and_functions_stay_small():
    """Files under 250 lines; a function is a thought."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 250, f"{path} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                docstring = (ast.get_docstring(node) or "").count("\n")
                assert node.end_lineno - node.lineno - docstring <= 45, f"{path}: {node.name}"
