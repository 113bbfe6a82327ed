"""Tables of what users and other programs meet: commands, flags, keys, metrics, files. Compared before and after a change.

    python -m benchmarks.features > features.json
    python -m benchmarks.features --compare before.json after.json

Commands and flags come from the application that `pyproject.toml` names. Everything else comes from running it: the
reference case, and three nights of its fleet with a late job, a job that does not fit and a row that cannot be read.
Names of sites, jobs, days and the like are `*` in the tables. Exit code 1 of `--compare`: an entry is lost.
`benchmarks/features.json` is the table before the house was redesigned; its key `renamed` has the persisted names that
have changed since (docs/formats.md), as patterns of entries and what replaces them.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from enum import EnumType
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow.parquet as pq
import typer
import xarray as xr
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
#: Names of the exit codes, wherever in the package they are assigned.
EXIT_CODES = ("OK", "CONFIGURATION", "DATA", "IMPOSSIBLE", "SOLVER", "DEGRADED", "UNPUBLISHED", "INTERRUPTED")
#: Environment variables, also those whose name is put together from a prefix; `NAME` stands for any in messages.
VARIABLE = re.compile(r"(?:HYDROCOOL_|\{PREFIX\})(?!NAME\b)([A-Z][A-Z_]*[A-Z])")
#: Keys that are data: days and hours, numbers, hashes, bidding zones, currencies, jobs of the nights' queue, names that hold a space or a path.
DATA = re.compile(r"\d{4}-\d\d.*|\d+(\.\d+)?|[0-9a-f]{8,}|(NO|SE|DK)\d|DE|FR|NL|[A-Z]{3}|q-.*|.*[ /].*")
#: Labels of metrics whose values are data.
DATA_LABELS = ("fleet", "site", "month", "cap")
#: Parts of file names that are data: run ids, hashes, sites.
FILE_DATA = (
    (re.compile(r"[a-z_]+_\d{4}-\d\d-\d\d(_\d{4}-\d\d-\d\d)?_[0-9a-f]+"), "*"),
    (re.compile(r"[0-9a-f]{12}-.*(\.\w+)"), r"*\1"),
    (re.compile(r"weather_[a-z]+\."), "weather_*."),
)

FIRST, LAST = "2018-05-02", "2018-05-04"
QUEUE = """\
id,label,gpu_hours,max_gpus,release,deadline,gpu_kinds,jurisdictions,home_site,submitted
q-late,pretrain,9000,256,2018-04-29T08:00Z,2018-05-01T15:00Z,gb300=2;h200=1,EEA,frankfurt,2018-04-29T08:00Z
q-large,pretrain,900000,20000,2018-05-01T02:00Z,2018-05-04T12:00Z,gb300=2;h200=1,EEA,paris,2018-05-01T02:00Z
q-small,finetune,900,128,2018-05-02T04:00Z,2018-05-04T06:00Z,gb300=2.2,,narvik,2018-05-01T09:00Z
q-loose,finetune,600,64,2018-05-02T10:00Z,2018-05-07T23:00Z,h200=1,DE,frankfurt,2018-05-02T10:00Z
q-unreadable,evaluation,many,32,2018-05-01T01:30Z,2018-05-02T20:00Z,h200=1,EU,paris,
"""
#: PUE cap of every site in the nights: nearly idle halls meet it, the caps of the reference case not.
REACHABLE = 1.4
#: Keys of a case file that a nightly file has too.
SHARED = ("prices", "weather", "fx", "fleet")

Table = dict[str, Any]


def main() -> None:
    """Print the tables, or compare two of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    args = parser.parse_args()
    if args.compare:
        tables_before, tables_after = (json.loads(p.read_text(encoding="utf-8")) for p in args.compare)
        names = tables_before.pop("renamed", [])
        tables_after.pop("renamed", None)
        before, after = {_renamed(e, names) for e in _entries(tables_before)}, {*_entries(tables_after)}
        for sign, entries in (("-", before - after), ("+", after - before)):
            print("".join(f"{sign} {entry}\n" for entry in sorted(entries)), end="")
        print(f"{len(before - after)} lost, {len(after - before)} new, {len(before & after)} as before")
        sys.exit(bool(before - after))
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(tables(Path(folder)), indent=1, sort_keys=True))


def _entries(table: Any, path: str = "") -> Iterator[str]:
    """Every entry of a table as one line: its path and its text."""
    if isinstance(table, dict):
        for key, value in table.items():
            yield from _entries(value, f"{path}{key}: ")
    else:
        yield from (f"{path}{entry}" for entry in table)


def _renamed(entry: str, names: list[list[str]]) -> str:
    """An entry under its name of today: patterns and replacements, in order."""
    for pattern, replacement in names:
        entry = re.sub(pattern, replacement, entry)
    return entry


def tables(folder: Path) -> Table:
    """All tables, from the code as it is and from runs in a folder."""
    app = _application()
    made = _Made(folder)
    return {
        "commands": dict(_commands(typer.main.get_command(app), "energy")),
        "environment": _variables(),
        "exit_codes": _exit_codes(),
        "yaml_keys": {p.name: _schema_keys(p) for p in sorted((folder / "new" / "schemas").glob("*.json"))},
        "arrays": _arrays(made.run("formulation", "--arrays")),
    } | made.tables()


# --- the code as it is -----------------------------------------------------------------------------------------------


def _application() -> typer.Typer:
    """The application whose entry point `pyproject.toml` names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = importlib.import_module(project["scripts"]["energy"].partition(":")[0])
    found = [module.app] if hasattr(module, "app") else [v for v in vars(module).values() if isinstance(v, typer.Typer)]
    if len(found) != 1:
        sys.exit(f"{module.__name__} has {len(found)} applications; name the one of the command `app`")
    return found[0]


def _commands(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with its arguments and flags: names, type, default, and whether it is required or hidden."""
    yield path, sorted(_parameter(p) for p in command.params if p.name != "help")
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(inner, f"{path} {name}")


def _parameter(p: Any) -> str:
    kind = p.type_descriptor.annotation
    default = str(p.default) if isinstance(p.default, os.PathLike) else repr(p.default)
    flags = "".join(f", {word}" for word in ("required", "multiple", "hidden") if getattr(p, word))
    limits = "".join(f", {word} {getattr(p, word)}" for word in ("min", "max") if getattr(p, word, None) is not None)
    if isinstance(kind, EnumType):
        text = "|".join(str(member.value) for member in kind)
    else:
        text = kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
    return f"{' '.join([*p.opts, *p.secondary_opts])}: {text}, default {default}{flags}{limits}"


def _package() -> Iterator[Path]:
    yield from sorted((ROOT / "energy").rglob("*.py"))


def _variables() -> dict[str, list[str]]:
    """Environment variables of the code and of the documentation."""
    code = "".join(p.read_text(encoding="utf-8") for p in _package())
    pages = [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(p for p in (ROOT / "deploy").rglob("*") if p.is_file()),
    ]
    docs = "".join(p.read_text(encoding="utf-8") for p in pages)
    named = {"code": code, "documents": docs}
    return {where: sorted({f"HYDROCOOL_{name}" for name in VARIABLE.findall(text)}) for where, text in named.items()}


def _exit_codes() -> list[str]:
    """`NAME = number` of every exit code that the package assigns."""
    found = set()
    for path in _package():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign):
                found |= {*_assigned(node)}
    return sorted(found)


def _assigned(node: ast.Assign) -> Iterator[str]:
    """Exit codes of one assignment, of a name or of a tuple of names."""
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        for name, value in zip(names, values, strict=False):
            if isinstance(name, ast.Name) and name.id in EXIT_CODES and isinstance(value, ast.Constant):
                yield f"{name.id} = {value.value}"


def _schema_keys(path: Path) -> list[str]:
    """Key paths of a YAML file, with its defaults and allowed words, references followed."""
    schema = json.loads(path.read_text(encoding="utf-8"))
    return sorted({*_properties(schema, schema.get("$defs", {}), "", ())})


def _properties(node: Any, defs: Table, path: str, seen: tuple[str, ...]) -> Iterator[str]:
    """Key paths below a node; a reference that leads back to itself is followed once."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        if name not in seen:
            yield from _properties(defs[name], defs, path, (*seen, name))
    for key, inner in node.get("properties", {}).items():
        default = f" = {json.dumps(inner['default'])}" if "default" in inner else ""
        required = " (required)" if key in node.get("required", ()) else ""
        yield f"{path}{key}{default}{required}"
        yield from _properties(inner, defs, f"{path}{key}.", seen)
    if words := node.get("enum") or ([node["const"]] if "const" in node else []):
        yield from (f"{path.rstrip('.')} one of {json.dumps(word)}" for word in words)
    for word in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for inner in node.get(word, ()):
            yield from _properties(inner, defs, path, seen)
    for word, sign in (("items", "[]."), ("additionalProperties", "*.")):
        if isinstance(node.get(word), dict):
            yield from _properties(node[word], defs, f"{path}{sign}", seen)
    for inner in node.get("patternProperties", {}).values():
        yield from _properties(inner, defs, f"{path}*.", seen)


def _arrays(page: str) -> dict[str, list[str]]:
    """Arrays by file: name, dimensions, unit, range and role of the generated page; the meaning may be reworded."""
    out: dict[str, list[str]] = {}
    heading, role = "", 0
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| name"):
            role = cells.index("role")
        elif line.startswith("| `"):
            out.setdefault(heading, []).append(" | ".join([*cells[:4], cells[role]]))
    return {name: sorted(rows) for name, rows in out.items()}


# --- what runs leave behind ------------------------------------------------------------------------------------------


class _Made:
    """A starter folder, runs and nights in it, and the tables read from them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.new = folder, folder / "new"
        self.run("new", "new")
        yaml = YAML(typ="safe", pure=True)
        case = yaml.load(self.new / "case.yaml")
        nightly = {key: case[key] for key in SHARED} | {
            "name": "features", "jobs": "queue.csv", "time_zone": "Europe/Berlin", "horizon": {"days": 3}, "out": "nights",
        }  # fmt: skip
        (self.new / "queue.csv").write_text(QUEUE, encoding="utf-8")
        fleet = yaml.load(self.new / "fleet.yaml")
        for cap in (
            *fleet.get("fleet_pue_caps", ()),
            *(c for s in fleet["sites"].values() for c in s.get("pue_caps", ())),
        ):
            cap["limit"] = REACHABLE
        for name, content in (("nightly.yaml", nightly), ("fleet.yaml", fleet)):
            with (self.new / name).open("w", encoding="utf-8") as file:
                yaml.dump(content, file)
        self.names = _names_of(fleet)

    def run(self, *args: str) -> str:
        """Standard output of a command that leaves a result."""
        command = [sys.executable, "-m", "energy", *args]
        env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 6):  # OK, DEGRADED
            sys.exit(f"energy {' '.join(args)}: exit code {done.returncode}\n{done.stderr}")
        return done.stdout

    def tables(self) -> Table:
        """Keys, metrics, files, columns and database."""
        nightly = "new/nightly.yaml"
        said = {"nightly --json": self.run("nightly", nightly, "--from", FIRST, "--to", LAST, "--json")}
        nights = self.new / "nights"
        folders = sorted(p for p in nights.glob("features_*") if p.is_dir())
        kept = str(nights / "inputs" / folders[-1].name / "case.yaml")
        said["optimize --json"] = self.run("optimize", kept, "--attribute", "--json", "--out", "runs")
        said["history --json"] = self.run("history", nightly, "--json")
        said["sources --json"] = self.run("sources", "--json", "--cache", "cache")
        said["pue --json"] = self.run("pue", "new/case.yaml", "--json")
        said["handover --to json"] = self.run("handover", str(nights), "--to", "json", "--at", f"{LAST}T06:00Z")
        self.run("optimize", "--plan", "greedy", "--out", "runs")
        runs = sorted(p for p in (self.folder / "runs").glob("*") if p.is_dir())
        shutil.rmtree(self.folder / "cache", ignore_errors=True)
        every = {"a run": runs, "a night": folders}
        return {
            "json_keys": {name: self._keys(_documents(text)) for name, text in said.items()}
            | {f"{name} of {what}": self._keys(_read(p / name for p in some)) for what, some in every.items()
               for name in ("summary.json", "manifest.json", "night.json") if any((p / name).exists() for p in some)}
            | {"snapshot.json of a night": self._keys(_read(nights.glob("inputs/*/snapshot.json"))),
               "log.jsonl": self._keys(_documents((nights / "log.jsonl").read_text(encoding="utf-8")))},
            "files": {what: _files(some) for what, some in every.items()}
            | {"kept inputs of a night": _files([*nights.glob("inputs/*_*")]), "beside the nights": _beside(nights)},
            "columns": {f"{name} of {what}": cols for what, some in every.items() for name, cols in self._columns(some)},
            "metrics": _metrics((nights / "hydrocool.prom").read_text(encoding="utf-8")),
            "database": _database(next(nights.glob("*.sqlite"))),
        }  # fmt: skip

    def _keys(self, documents: list[Any]) -> list[str]:
        return sorted({key for document in documents for key in self._paths(document, "")})

    def _paths(self, value: Any, path: str) -> Iterator[str]:
        """Key paths of a document; keys that are data are `*`."""
        if isinstance(value, dict):
            for key, inner in value.items():
                here = f"{path}{'*' if key in self.names or DATA.fullmatch(key) else _collapsed(key)}"
                yield here
                yield from self._paths(inner, f"{here}.")
        elif isinstance(value, list):
            for inner in value:
                yield from self._paths(inner, f"{path}[].")

    def _columns(self, folders: list[Path]) -> Iterator[tuple[str, list[str]]]:
        """Columns of the tables and arrays of the files in some folders, by file name."""
        names = {p.name for f in folders for p in f.glob("*")}
        for name in sorted(names):
            paths = [f / name for f in folders if (f / name).exists()]
            if name.endswith(".nc"):
                yield name, sorted({v for p in paths for v in _variables_of(p)})
            elif name.endswith(".csv"):
                yield name, sorted({str(c) for p in paths for c in pd.read_csv(p, nrows=1).columns})
            elif name.endswith(".parquet"):
                yield name, sorted({c for p in paths for c in pq.read_schema(p).names})


def _names_of(fleet: Table) -> set[str]:
    """Names of sites, halls, pools, plants and tariffs of a fleet."""
    names = set(fleet["sites"])
    for site in fleet["sites"].values():
        names |= {site["tariff"], *site["halls"]}
        for hall in site["halls"].values():
            names |= {hall["plant"], *hall["pools"]}
    return names


def _documents(text: str) -> list[Any]:
    """JSON documents of a text: one, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _read(paths: Iterator[Path]) -> list[Any]:
    return [json.loads(p.read_text(encoding="utf-8")) for p in paths if p.exists()]


def _variables_of(path: Path) -> list[str]:
    with xr.open_dataset(path) as data:
        return [f"{name}({', '.join(map(str, array.dims))})" for name, array in data.variables.items()]


def _collapsed(name: str) -> str:
    for pattern, sign in FILE_DATA:
        name = pattern.sub(sign, name)
    return name


def _files(folders: list[Path]) -> list[str]:
    """Names of all files below some folders, once each."""
    return sorted({_collapsed(p.relative_to(f).as_posix()) for f in folders for p in f.rglob("*") if p.is_file()})


def _beside(nights: Path) -> list[str]:
    return sorted({_collapsed(p.name) for p in nights.iterdir() if not p.name.endswith(("-wal", "-shm"))})


def _metrics(text: str) -> list[str]:
    """Name, kind and labels of each metric."""
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    lines = re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE)
    labels = {name: ", ".join(re.findall(r'(\w+)="', found)) for name, found in lines}
    pairs = {(name, *pair) for name, found in lines for pair in re.findall(r'(\w+)="([^"]*)"', found)}
    states = [f'{name}{{{label}="{value}"}}' for name, label, value in pairs if label not in DATA_LABELS]
    return sorted([*(f"{name} {kind}: {labels.get(name, 'no sample')}" for name, kind in kinds.items()), *states])


def _database(path: Path) -> dict[str, list[str]]:
    """Columns of each table, with type and constraints."""
    with sqlite3.connect(path) as store:
        names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {n: sorted(f"{c[1]} {c[2]}{' NOT NULL' if c[3] else ''}{f', key {c[5]}' if c[5] else ''}"
                             for c in store.execute(f"PRAGMA table_info({n})")) for n in names}  # fmt: skip
        version = store.execute("PRAGMA user_version").fetchone()[0]
    return columns | {"user_version": [str(version)]}


if __name__ == "__main__":
    main()
