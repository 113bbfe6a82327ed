"""Executability, objective against bill, and the certificate, in words and tables."""

from __future__ import annotations

from typing import Any

from energy.report.tables import Cell, Column, Table, prose, row, table, words
from energy.report.view import View
from energy.report.words import number, power_of_ten, share

#: Named differences between objective and bill: key in summary.json, name, where it comes from.
DIFFERENCES = (
    ("chords_eur", "Cooling chords", "the program draws overhead as chords, which lie above the plant's curve"),
    ("negative_hour_chords_eur", "Chords of negative-price periods", "there one chord spans the whole load range"),
    ("peaks_on_chords_eur", "Peaks on chords", "demand charges on peaks that include the chords' excess"),
    ("undone_penalty_eur", "Penalty for undone work", "not money: what keeps the program from leaving work"),
    ("terminal_value_eur", "Terminal value", "what work left for after the horizon is likely to cost then: no bill yet"),
    ("cap_penalty_eur", "Penalty for exceeded PUE caps", "not money: what keeps the program from breaking a cap"),
    ("unexplained_eur", "Without a name", "must be below a cent"),
)  # fmt: skip


#: What no certificate can say.
SCOPE = "Not proven: that prices, weather and jobs come as assumed, or that fractions of GPUs can be had."


def executability(view: View) -> Table | None:
    """How far the schedule is from whole GPUs, one site per job and few starts."""
    shape = view.record.summary.get("shape")
    if not shape:
        return None
    rows = (
        ("Job-periods with GPUs", number(shape["active_job_periods"]), "a job holding GPUs in one period"),
        (
            "of them with a fraction of a GPU",
            share(shape["fractional_share"]),
            "whole numbers come with the executable plan",
        ),
        ("of them on two sites or more", share(shape["two_sites_share"]), "a real job runs at one site at a time"),
        ("Starts per job", number(shape["starts_per_job"], 1), "one is a job that never pauses"),
        ("Moves per job", number(shape["moves_per_job"], 1), "changes of the site that holds most of its GPUs"),
    )
    return table((words("Measure"), Column("Plan"), prose("Meaning")), [row(*r) for r in rows])


def reconciliation(view: View) -> Table | None:
    """From the program's objective to the bill, difference by difference [EUR]."""
    found: dict[str, Any] = view.record.summary.get("reconciliation", {})
    if not found:
        return None
    rows = [row("Objective of the program", number(found["objective_eur"], 2), "")]
    rows += [row(f"less: {name}", number(-found[key], 2, sign=True), why) for key, name, why in DIFFERENCES]
    total = row(
        "Bill of the plan, from raw inputs",
        number(found["bill_eur"], 2),
        "spot, energy charges, taxes, demand charges; no VAT",
    )
    return table((words("Item"), Column("Amount", "EUR"), prose("Cause")), rows, total)


def reconciliation_words(view: View) -> str:
    """Whether objective and bill agree."""
    found = view.record.summary.get("reconciliation", {})
    if not found:
        return "The run folder holds no reconciliation."
    verdict = "agree" if found["agrees"] else "do NOT agree"
    return (
        f"The bill is worked out apart from the program, from raw prices, tariffs and the cooling plant's own curves. "
        f"The two {verdict}: differences with a name are {share(found['named_share'], 4)} of the bill."
    )


def certificate_words(view: View) -> list[str]:
    """What was proven, in sentences."""
    proof: dict[str, Any] = view.record.summary.get("certificate", {})
    if not proof:
        return ["The run folder holds no certificate."]
    sizes = (
        f"{number(proof['rows'])} rows, {number(proof['columns'])} columns and {number(proof['nonzeros'])} coefficients"
    )
    first = f"The whole program ({sizes}) was rebuilt from the saved Problem with numpy, without modeller or solver."
    if not proof["pass"]:
        return [first, "The proof FAILED: the plan must not be used.", _measured(proof)]
    bound = (
        f"No plan under the same limits can cost less than {number(proof['dual_eur'], 2)} EUR, penalties included; "
        f"this one costs {number(proof['primal_eur'], 2)} EUR."
    )
    return [first, bound, _measured(proof), SCOPE]


def _measured(proof: dict[str, Any]) -> str:
    return (
        f"Relative gap {power_of_ten(proof['relative_gap'])}; the largest violation of any row or bound is "
        f"{power_of_ten(proof['max_violation'])} (scaled), at {proof['worst_row'] or 'none'}."
    )


def undone_table(view: View, most: int = 10) -> Table | None:
    """Jobs with work left undone, most first; None where all is done."""
    short, work = view.solution["short"].values * view.there, view.problem["work_left"].values
    if not view.record.summary["undone_gpu_hours"] > 1e-7 * work.sum():
        return None
    order = [int(j) for j in (-short).argsort(kind="stable")[:most] if short[j] > 1e-7 * work.sum()]
    columns = (words("Job"), Column("Left undone", "GPU-h"), Column("Of its work"))
    return table(
        columns, [row(view.jobs[j], number(float(short[j]), 1), Cell(share(float(short[j] / work[j])))) for j in order]
    )
