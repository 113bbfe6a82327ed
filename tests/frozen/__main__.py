"""Compare the outputs of today's code with hashes of those before the house was redesigned.

    python -m tests.frozen --series FOLDER [--quick | --only NAME ...] [--keep FOLDER]
    python -m tests.frozen --series FOLDER --write --reason "why these outputs changed"

Weeks of the reference case, one case of each real series, and nights in a row with faults are run through the
command line. `schedule.csv`, `bill.csv`, `summary.json`, `night.json` and the exit codes of each are compared.
`--keep` leaves the compared files in a folder, so that `diff -r` shows what changed. Exit code 1: something differs.

This folder and the make target `frozen` last as long as the redesign: its last step removes them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HASHES = Path(__file__).with_name("hashes.json")
FILES = ("schedule.csv", "bill.csv", "summary.json", "night.json")
EXIT_CODES = "exit_codes.txt"

#: Weeks of the reference case: name -> options of `energy optimize`. Greedy is the fallback without a solver.
REFERENCE = {
    "reference-greedy": ("--plan", "greedy"),
    "reference": (),
    "reference-hot": ("--start", "2018-07-22"),
}
#: One window of each real series, as `benchmarks.real_cases` names them: gaps filled, four weeks, quarter-hours.
REAL = ("real2020-gaps", "nordic2019-february", "quarter-hour-dst")
#: Nights of the soak in a row: name -> kind and detail of the fault. Each one starts from those before it.
NIGHTS = {
    "night-without-fault": ("none", ""),
    "night-auction-missing": ("price_missing", "NO2"),
    "night-without-weather": ("no_weather", "oslo"),
    "night-source-failed": ("source_failure", ""),
    "night-killed": ("kill", "entering"),
    "night-clock-ahead": ("clock_jump", "1"),
}
FIRST_NIGHT = date(2019, 2, 10)
#: Nights of the soak whose job table is used, that of `make soak-short`.
SOAK_NIGHTS = 30
#: Under a minute on a machine with nothing else to do.
QUICK = ("reference-greedy", "real2020-gaps", "night-without-fault")

#: What is replaced before hashing: (reason, pattern, replacement).
NORMALISED = (
    (
        "a run id ends with a hash of the version and of input bytes, which hold absolute paths of the series",
        re.compile(r"(_\d{4}-\d{2}-\d{2})_[0-9a-f]{8,12}\b"),
        r"\1_*",
    ),
)
#: Significant digits, and the size taken for zero, of the second hash: it tells rounding from another result.
DIGITS, ZERO = 9, 1e-9
NUMBER = re.compile(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+")

Files = dict[str, str]


def main() -> None:
    """Run the chosen cases, compare or write their hashes, exit 1 when one differs."""
    args = _arguments()
    os.environ |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    chosen = args.only or (QUICK if args.quick else [*REFERENCE, *REAL, *NIGHTS])
    if not args.series.is_dir():
        print(f"{args.series}: no series there; only the reference case is compared")
        chosen = [name for name in chosen if name in REFERENCE]
    frozen = json.loads(HASHES.read_text(encoding="utf-8")) if HASHES.exists() else {"history": [], "cases": {}}
    changed = []
    with tempfile.TemporaryDirectory() as scratch:
        began = time.monotonic()
        for name, files in _run(chosen, args.series.resolve(), Path(scratch)):
            if args.keep:
                _keep(files, args.keep / name)
            before, after = frozen["cases"].get(name, {}), {file: _hashes(text) for file, text in files.items()}
            words = _differences(before, after)
            print(f"{name}: {'; '.join(words) or 'as before'} ({time.monotonic() - began:.0f} s)", flush=True)
            changed += [name] if words else []
            frozen["cases"][name] = after
            began = time.monotonic()
    if args.write and changed:
        frozen["history"].append({"date": str(datetime.now(UTC).date()), "reason": args.reason, "cases": changed})
        HASHES.write_text(json.dumps(frozen, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.exit(bool(changed and not args.write))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path, default=ROOT / "../shared/data", help="folder of the development series")
    parser.add_argument("--only", nargs="+", choices=[*REFERENCE, *REAL, *NIGHTS], metavar="NAME", help="these cases")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--keep", type=Path, help="leave the compared files in this folder")
    parser.add_argument("--write", action="store_true", help="write the hashes of what was run")
    parser.add_argument("--reason", help="why they changed, with --write")
    args = parser.parse_args()
    if args.write != bool(args.reason):
        parser.error("--write and --reason belong together")
    return args


def _run(chosen: list[str], series: Path, scratch: Path) -> Iterator[tuple[str, Files]]:
    """Name and compared files of each chosen case."""
    for name in REFERENCE:
        if name in chosen:
            yield name, _command(["energy", "optimize", *REFERENCE[name], "--no-page"], scratch / name)
    for name in REAL:
        if name in chosen:
            yield name, _command(["benchmarks.real_cases", "--series", str(series), "--only", name], scratch / name)
    last = max((k for k, name in enumerate(NIGHTS) if name in chosen), default=-1)
    for name, files in _nights(last + 1, series, scratch / "nights"):
        if name in chosen:
            yield name, files


def _command(module: list[str], out: Path) -> Files:
    """Run a module that writes one run folder to `out`."""
    done = subprocess.run(
        [sys.executable, "-m", *module, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    folders = [p for p in out.glob("*") if p.is_dir()]
    if len(folders) != 1:
        sys.exit(f"{' '.join(module)}: {len(folders)} run folders, exit code {done.returncode}\n{done.stderr}")
    return _compared(folders[0], [done.returncode])


def _nights(count: int, series: Path, folder: Path) -> Iterator[tuple[str, Files]]:
    """Run the first nights of the soak, each with its fault; the files are those that `latest` points to."""
    if not count:
        return
    # Imported here: the reference case must be comparable while the nightly rooms are being moved.
    from benchmarks.soak import night
    from benchmarks.soak_case import Soak, write_soak
    from benchmarks.soak_faults import Fault

    soak = Soak(folder, FIRST_NIGHT, SOAK_NIGHTS)
    config = write_soak(soak, series, "forecast", "plan")
    for k, (name, fault) in enumerate(list(NIGHTS.items())[:count]):
        runs = night(soak, config, FIRST_NIGHT + timedelta(days=k), Fault(*fault))
        latest = folder / "plan" / "latest"
        if not latest.exists():
            sys.exit(f"{name}: nothing is published; {runs}")
        yield name, _compared(latest, [run["code"] for run in runs])


def _compared(folder: Path, codes: list[int]) -> Files:
    """What is compared of a run or night folder, normalised."""
    found = {name: (folder / name).read_text(encoding="utf-8") for name in FILES if (folder / name).exists()}
    for _, pattern, replacement in NORMALISED:
        found = {name: pattern.sub(replacement, text) for name, text in found.items()}
    return found | {EXIT_CODES: " ".join(map(str, codes)) + "\n"}


def _keep(files: Files, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _hashes(text: str) -> dict[str, str]:
    """Hash of the text, and of the text with rounded numbers."""
    rounded = NUMBER.sub(lambda m: _rounded(float(m[0])), text)
    return {"sha256": _sha256(text), "sha256_rounded": _sha256(rounded)}


def _rounded(value: float) -> str:
    return "0" if abs(value) < ZERO else f"{value:.{DIGITS}g}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What of a case differs, in words."""
    words = [f"{name} is missing" for name in before if name not in after]
    for name, new in after.items():
        old = before.get(name)
        if old is None:
            words.append(f"{name} is new")
        elif old["sha256_rounded"] != new["sha256_rounded"]:
            words.append(f"{name} DIFFERS")
        elif old["sha256"] != new["sha256"]:
            words.append(f"{name} differs in rounding only ({DIGITS} digits agree)")
    return words


if __name__ == "__main__":
    main()
