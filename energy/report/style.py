"""Colours and type of the report: one name per role, a light and a dark value each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Colour:
    """A role in pictures and page. `light` doubles as the mark that svg.py replaces by the CSS variable."""

    name: str
    light: str
    dark: str


# Okabe-Ito hues, a little muted for large areas: told apart with every common colour blindness; values differ
# in lightness too, for grey printers.
_ROLES = (
    Colour("ink", "#1c2329", "#e6eaed"),
    Colour("soft", "#5b6770", "#9aa6af"),
    Colour("rule", "#e3e7ea", "#2c343a"),
    Colour("plan", "#0b6aa8", "#56b4e9"),
    Colour("base", "#9a9fa4", "#7d868d"),
    Colour("warm", "#c2540a", "#e98a4b"),
    Colour("spot", "#3b4a57", "#c3ced6"),
    Colour("negative", "#f6dcc4", "#5a3c22"),
    Colour("firm", "#c9ced2", "#4b545b"),
    Colour("series1", "#2f78a8", "#4d9fd0"),
    Colour("series2", "#e3a83b", "#dda945"),
    Colour("series3", "#3b9b80", "#45ad90"),
    Colour("series4", "#c684a8", "#cf93b5"),
    Colour("series5", "#8ec4e2", "#a4d3ec"),
    Colour("series6", "#cc6a3a", "#d97d4f"),
    Colour("series7", "#8f8a3c", "#b0a95c"),
)
ROLES = {c.name: c for c in _ROLES}

#: Colours of stacked series, in order; what comes after them shares the last role, `base`.
SERIES = ("series1", "series2", "series3", "series4", "series5", "series6", "series7")


def light(name: str) -> str:
    """The colour that matplotlib draws with."""
    return ROLES[name].light


def series(position: int) -> str:
    """Role of the stacked series at a position; grey once the hues are used up."""
    return SERIES[position] if position < len(SERIES) else "base"


def variables(mode: str) -> str:
    """CSS custom properties of one mode, `light` or `dark`."""
    return "".join(f"--{c.name}:{getattr(c, mode)};" for c in _ROLES)
