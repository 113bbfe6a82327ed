"""Kinds of invoice lines: the closed set that a bill is made of, in the order of an invoice."""

from typing import Literal, get_args

LineKind = Literal["spot", "energy", "demand", "fixed", "minimum", "contract", "hedge", "feed_in", "heat"]
LINE_KINDS: tuple[LineKind, ...] = get_args(LineKind)


def line_kind(text: str) -> LineKind:
    """The kind of a line that a bill in a file names.

    Raises
    ------
    ValueError : a kind that no bill has.
    """
    found: dict[str, LineKind] = {kind: kind for kind in LINE_KINDS}
    if text not in found:
        raise ValueError(f"invoice line of kind {text!r}; there are {', '.join(LINE_KINDS)}")
    return found[text]
