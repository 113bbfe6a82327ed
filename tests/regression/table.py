"""The regression table: objective, size, energy and peaks of known cases, each change dated with a reason.

python -m tests.regression.table --series FOLDER            old beside new
python -m tests.regression.table --series FOLDER --rebase "reason"   write what changed

Both print the attribution of the four-week cases: what each kind of foresight saves, and the rules of thumb.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from benchmarks import real_cases
from energy.attribution import Step, attribute
from energy.inputs.resources import root
from energy.optimize import Run, optimize

PATH = Path(__file__).with_name("table.yaml")
#: Relative agreement of objectives: the optimum is unique, its vertex is not.
OBJECTIVE = 1e-7
#: Relative agreement of the steps of an attribution: restricted problems are solved without crossover, whose
#: objectives lie within the certificate's gap of 1e-6 above the optimum.
STEP = 1e-6
#: Cases whose savings are attributed: four weeks each.
ATTRIBUTED = ("real2020-april", "real2020-may")
#: Three days of the reference case, whose unfinished work waits at a price: what every `make test` solves.
THREE_DAYS = "reference-three-days"
#: Reference cases: name -> horizon.
REFERENCE = {
    THREE_DAYS: {"start": "2018-04-30", "end": "2018-05-02", "beyond": "terminal_value"},
    "reference": {"start": "2018-04-30"}, "reference-hot": {"start": "2018-07-22"},
    "reference-spring-dst": {"start": "2018-03-19"}, "reference-autumn-dst": {"start": "2018-10-22"},
    "reference-new-year": {"start": "2018-01-01"},
}  # fmt: skip


def names(series: Path | None) -> list[str]:
    """Cases that can run here; the real ones need the development series."""
    return [*REFERENCE, *(real_cases.CASES if series and series.is_dir() else [])]


def run(name: str, series: Path | None) -> Run:
    """Optimise one case of the table."""
    if name in REFERENCE:
        return optimize(root() / "models" / "cases" / "reference.yaml", REFERENCE[name])
    assert series is not None
    return real_cases.run(name, series)


def entry(result: Run) -> dict[str, Any]:
    """What the table keeps of a run: figures that do not depend on which optimal vertex was found."""
    proof = result.certificate
    return {
        "status": result.outcome.status,
        "objective_eur": round(proof.primal_eur, 6),
        "rows": proof.rows, "columns": proof.columns, "nonzeros": proof.nonzeros,
        "it_mwh_min": round(float((result.problem["base_it"] * result.problem["dt"]).sum()), 6),
        "work_gpu_hours": round(float(result.problem["work_left"].sum()), 3),
        "peak_mw": {str(s): round(float(p), 3) for s, p in
                    zip(result.problem["site"].values, result.solution["grid_import"].max("time").values, strict=True)},
        "energy_mwh": {str(s): round(float(e), 1) for s, e in
                       zip(result.problem["site"].values, (result.solution["grid_import"] * result.problem["dt"]).sum("time").values, strict=True)},
    }  # fmt: skip


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What of an entry has changed, in words. Energy and peaks are shown, not judged: optima may tie."""
    out = []
    for key in ("status", "rows", "columns", "nonzeros"):
        if old.get(key) != new[key]:
            out.append(f"{key}: {old.get(key)} -> {new[key]}")
    if not np.isclose(old.get("objective_eur", np.nan), new["objective_eur"], rtol=OBJECTIVE, atol=0):
        out.append(f"objective_eur: {old.get('objective_eur')} -> {new['objective_eur']}")
    return out


def attribution_entry(result: Run) -> dict[str, Any]:
    """What the table keeps of an attribution. A plan that does not see a cost is one of many optima of what it sees:
    its objective is unique and judged, its bill is shown. Run-now and rules of thumb have a bill only, and it is judged."""
    found = attribute(result)
    return {part: [_step(s) for s in getattr(found, part)] for part in ("steps", "rules")}


def _step(s: Step) -> dict[str, Any]:
    objective = s.certificate.primal_eur if s.certificate else s.cost_eur
    return {"name": s.name, "objective_eur": round(objective, 6), "cost_eur": round(s.cost_eur, 6),
            "saving_eur": round(s.saving_eur, 6)}  # fmt: skip


def attribution_differences(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What of an attribution has changed, in words."""
    out = []
    for part in ("steps", "rules"):
        before = {s["name"]: s["objective_eur"] for s in old.get(part, [])}
        after = {s["name"]: s["objective_eur"] for s in new[part]}
        for name in before | after:
            then, now = before.get(name, np.nan), after.get(name, np.nan)
            if not np.isclose(then, now, rtol=STEP, atol=0):
                out.append(f"{name}: {then} -> {now}")
    return out


def print_attribution(name: str, found: dict[str, Any]) -> None:
    """The waterfall, losses with their sign; then the rules of thumb against run-now."""
    for part, against in (("steps", "the step before"), ("rules", "run now")):
        print(f"{name}, {part}: cost EUR, saving EUR against {against}")
        for s in found[part]:
            print(f"  {s['name']:26} {s['cost_eur']:12,.2f} {s['saving_eur']:+12,.2f}")


def load() -> dict[str, Any]:
    """The table as committed."""
    return YAML(typ="safe", pure=True).load(PATH.read_text(encoding="utf-8")) or {} if PATH.is_file() else {}


def save(table: dict[str, Any]) -> None:
    """Write the table."""
    with PATH.open("w", encoding="utf-8") as file:
        file.write(
            "# Written by tests/regression/table.py and tests/golden/rebase.py; changes carry date and reason.\n"
        )
        yaml = YAML(typ="safe", pure=True)
        yaml.default_flow_style = False
        yaml.dump(table, file)


def main() -> None:
    """Print old beside new; with --rebase write what changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=Path)
    parser.add_argument("--rebase", metavar="REASON")
    parser.add_argument("--only", help="one case")
    args = parser.parse_args()
    table, changed = load(), 0
    for name in [args.only] if args.only else names(args.series):
        result, old = run(name, args.series), table.get(name, {})
        new = entry(result)
        difference = differences(old, new)
        if name in ATTRIBUTED:
            new["attribution"] = attribution_entry(result)
            print_attribution(name, new["attribution"])
            difference += attribution_differences(old.get("attribution", {}), new["attribution"])
        changed += bool(difference)
        print(
            f"{name}: {new['objective_eur']:.6f} EUR, {new['rows']} x {new['columns']}: {'; '.join(difference) or 'as before'}"
        )
        if args.rebase and difference:
            stamp = {"date": datetime.now(UTC).date().isoformat(), "reason": args.rebase}
            history = [*old.get("history", []), stamp | {"objective_eur": new["objective_eur"]}]
            table[name] = new | {"history": history}
    if args.rebase:
        save(table)
    sys.exit(bool(changed and not args.rebase))


if __name__ == "__main__":
    main()
