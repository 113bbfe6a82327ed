"""The table of docs/cooling.md from figures kept beside this file, as text, as Markdown, and against fresh ones.

    python -m benchmarks.cooling_table      write the table into docs/cooling.md

The weather behind the figures (200 MB) is not part of the project; `make validate-cooling` computes them anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

KEPT = Path(__file__).with_name("cooling_figures.json")
PAGE = Path(__file__).parents[1] / "docs" / "cooling.md"
BEGIN, END = "<!-- begin table: make validate-cooling -->\n", "<!-- end table -->"
#: Fresh and kept PUE may differ by this much: other libraries round otherwise in the last digits.
SAME = 5e-5
HEAD = "| zone | place | PUE | P5 | P50 | P95 | WUE L/kWh | free h | worst PUE | derated h |"


def text(figures: Figures) -> str:
    """For a terminal."""
    lines = []
    for name, block in _plants(figures).items():
        lines += ["", f"{name}  (case {block['case']})"]
        lines += ["zone place           PUE     P5    P50    P95   WUE L/kWh  free h  worst PUE  derated h"]
        for zone, z in block["zones"].items():
            band = " ".join(f"{v:.3f}" for v in z["band"]) if z["band"] else "    -     -     -"
            lines.append(
                f"{zone}   {z['place']:14s} {z['pue']:.4f}  {band}   {z['wue']:8.2f}   {z['free_hours']:5d}"
                f"  {z['worst_pue']:9.3f}  {z['derated_hours']:9d}"
            )
        lines += [_difference(block)] if _difference(block) else []
    return "\n".join([*lines, "", _esif(figures), ""])


def markdown(figures: Figures) -> str:
    """For docs/cooling.md."""
    lines = []
    for name, block in _plants(figures).items():
        lines += [f"**`{name}`** (case {block['case']})", "", HEAD, "|---|---|" + "---:|" * 8]
        for zone, z in block["zones"].items():
            band = " | ".join(f"{v:.3f}" for v in z["band"] or []) or "– | – | –"
            lines.append(
                f"| {zone} | {z['place']} | **{z['pue']:.4f}** | {band} | {z['wue']:.2f} | {z['free_hours']} "
                f"| {z['worst_pue']:.3f} | {z['derated_hours']} |"
            )
        lines += ["", f"{_difference(block)}.", ""] if _difference(block) else [""]
    return "\n".join([*lines, f"{_esif(figures)}."]) + "\n"


def _plants(figures: Figures) -> Figures:
    return {name: block for name, block in figures.items() if name != "esif"}


def _difference(block: Figures) -> str:
    """Tampa minus Chicago, of the model and of the P50s."""
    warm, cold = block["zones"]["2A"], block["zones"]["5A"]
    if not warm["band"]:
        return ""
    published = warm["band"][1] - cold["band"][1]
    return f"2A minus 5A: {warm['pue'] - cold['pue']:.4f}, P50s {published:.3f}"


def _esif(figures: Figures) -> str:
    e = figures["esif"]
    return (
        f"NREL ESIF meter boundary, Golden: PUE {e['pue']:.4f}, measured {e['measured_pue']}; "
        f"WUE {e['wue']:.2f} L/kWh, measured {e['measured_wue']} with towers only"
    )


def kept() -> Figures:
    """The figures beside this file."""
    figures: Figures = json.loads(KEPT.read_text(encoding="utf-8"))
    return figures


def differences(figures: Figures) -> list[str]:
    """Plants and zones whose fresh PUE is not the kept one."""
    old = kept()
    return [
        f"{name} in {zone}: PUE {z['pue']:.4f}, but {old[name]['zones'][zone]['pue']:.4f} in docs/cooling.md; see --keep"
        for name, block in _plants(figures).items()
        for zone, z in block["zones"].items()
        if abs(z["pue"] - old[name]["zones"][zone]["pue"]) > SAME
    ]


def page() -> str:
    """docs/cooling.md as it must be: its own words around the table of the kept figures."""
    words = PAGE.read_text(encoding="utf-8")
    head, tail = words.split(BEGIN)[0], words.split(END)[1]
    return f"{head}{BEGIN}\n{markdown(kept())}\n{END}{tail}"


def keep(figures: Figures) -> None:
    """Keep new figures and write them into the page."""
    KEPT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
