"""Golden files against the program: ``python -m tests.golden.rebase [--reason "..."]``  (make golden).

Without a reason it says what differs and exits 1 if anything does; with one it writes the files, and the reason
lands in ``tests/regression/table.yaml`` under `golden`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from ruamel.yaml import YAML

from tests.golden.parts import FOLDER, PARTS, differences, meaning, write

TABLE = FOLDER.parent / "regression" / "table.yaml"
#: A reason shorter than this says nothing [characters].
LEAST_REASON = 12


def changes(folder: Path, golden: Path = FOLDER) -> dict[str, list[str]]:
    """File name -> what differs, after writing every part of today's program to `folder`."""
    out = {p.name: ["the program has no such part"] for p in golden.glob("*.lp") if p.name not in PARTS}
    for part in PARTS:
        write(part, folder / part)
        new = meaning(part, folder / part)
        found = differences(meaning(part, golden / part), new) if (golden / part).is_file() else ["no golden file"]
        out |= {part: found} if found else {}
    return out


def rebase(reason: str, golden: Path = FOLDER, table: Path = TABLE) -> list[str]:
    """Write the files that differ, remove those without a part, and note date and reason; returns their names.

    Raises
    ------
    ValueError : the reason says nothing.
    """
    if len(reason.strip()) < LEAST_REASON:
        raise ValueError(f"a new golden file needs a reason of at least {LEAST_REASON} characters, got {reason!r}")
    with tempfile.TemporaryDirectory() as folder:
        changed = sorted(changes(Path(folder), golden))
        for name in changed:
            (golden / name).unlink(missing_ok=True)
            if name in PARTS:
                (golden / name).write_bytes((Path(folder) / name).read_bytes())
    if changed:
        _note(table, {"date": datetime.now(UTC).date().isoformat(), "reason": reason.strip(), "files": changed})
    return changed


def _note(path: Path, entry: dict[str, object]) -> None:
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    table = yaml.load(path.read_text(encoding="utf-8"))
    table["golden"] = [*table.get("golden", []), entry]
    with path.open("w", encoding="utf-8") as file:
        file.write(
            "# Written by tests/regression/table.py and tests/golden/rebase.py; changes carry date and reason.\n"
        )
        yaml.dump(table, file)


def main() -> None:
    """Say what differs, or write it with its reason."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reason", help="why the program has changed; lands in the regression table")
    args = parser.parse_args()
    if args.reason is not None:
        print("\n".join(rebase(args.reason)) or "nothing differs")
        return
    with tempfile.TemporaryDirectory() as folder:
        found = changes(Path(folder))
    for name, lines in found.items():
        print(f"{name}: {'; '.join(lines)}")
    sys.exit('golden files differ; if that is meant: make golden REASON="why"' if found else 0)


if __name__ == "__main__":
    main()
