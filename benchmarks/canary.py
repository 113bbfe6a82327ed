"""Newest Pyomo and HiGHS against the pinned ones: ``python -m benchmarks.canary`` (make canary).

Makes a throw-away environment with the newest releases, solves the same random Problems in both with warnings as
errors, and compares optima, rows, columns and nonzeros. Exits 1 where they differ or the newest does not run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
#: What the program and its proof run on; the newest release of each.
NEWEST = ("pyomo", "highspy", "xarray", "numpy", "scipy")
#: Problems compared, and how well optima must agree (relative to the money that moves).
PROBLEMS, SAME = 20, 1e-7


def measure() -> dict[str, Any]:
    """Versions here, and what the numbered Problems cost here."""
    import numpy as np

    from benchmarks.differential import numbered_problem
    from energy.audit.certificate import certify
    from energy.program import build
    from energy.solve import compile_model, gate, solution, solve

    found = {}
    for number in range(PROBLEMS):
        problem = numbered_problem(number)
        model = build(problem)
        form = compile_model(model)
        raw = solve(form)
        gate(raw, form.cost, form.offset)
        proof = certify(problem, solution(problem, model, form, raw))
        money = float(np.abs(form.cost) @ np.abs(raw.values)) + abs(form.offset)
        found[str(number)] = {"eur": raw.objective, "money": money, "shape": list(form.shape), "proven": proof.passed}
    return {"versions": {name: version(name) for name in NEWEST}, "found": found}


def newest(folder: Path) -> dict[str, Any]:
    """The same with the newest releases, in an environment of its own under `folder`."""
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([python, "-m", "pip", "install", *quiet, "--upgrade", *NEWEST], check=True)
    code = [python, "-W", "error", "-m", "benchmarks.canary", "--measure"]
    done = subprocess.run(code, check=True, capture_output=True, text=True, cwd=CHECKOUT,
                          env=os.environ | {"PYTHONPATH": str(CHECKOUT)})  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def differences(pinned: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs, in words."""
    out = []
    for number, mine in pinned["found"].items():
        theirs = other["found"][number]
        if abs(mine["eur"] - theirs["eur"]) > SAME * mine["money"]:
            out.append(f"problem {number}: {mine['eur']:.6f} EUR pinned, {theirs['eur']:.6f} EUR newest")
        if mine["shape"] != theirs["shape"]:
            out.append(f"problem {number}: rows, columns, nonzeros {mine['shape']} pinned, {theirs['shape']} newest")
        if not theirs["proven"]:
            out.append(f"problem {number}: not proven with the newest")
    return out


def main() -> None:
    """Compare and say; exit 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="print versions and optima here as JSON and stop")
    if parser.parse_args().measure:
        print(json.dumps(measure()))
        return
    pinned = measure()
    with tempfile.TemporaryDirectory() as folder:
        other = newest(Path(folder))
    for name in NEWEST:
        print(f"{name}: pinned {pinned['versions'][name]}, newest {other['versions'][name]}")
    found = differences(pinned, other)
    print("\n".join(found) or f"{PROBLEMS} problems: same optima, same sizes, all proven")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
