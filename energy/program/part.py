"""What a file of the program gives: variables, constraints, terms of the cost and of a site's power balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Index = tuple[int, ...]
Bounds = tuple[float | None, float | None]
#: (sets) -> index set of a variable or constraint.
IndexSet = Callable[[Any], Any]


def no_supply(m: Any, s: int, t: int) -> list[Any]:
    """No term: the part neither gives nor takes power at a site."""
    return []


@dataclass(frozen=True)
class Part:
    """One physical or financial thing of the program, whole.

    The arrays that it owns carry its name in the table of ``energy/schema/arrays.py``: parameters, variables and the
    duals of its constraints. Its twin in ``energy/audit/array_model.py`` is written apart.

    Attributes
    ----------
    name : name of its file and of the part in the table
    variables : name -> (index set, bounds by index)
    constraints : name -> (index set, rule by index)
    cost : name -> term of the objective [EUR]
    supply : terms of the power that it gives to site s in period t, beside the other parts; what it takes is negative [MW]
    """

    name: str
    variables: Mapping[str, tuple[IndexSet, Callable[..., Bounds]]] = field(default_factory=dict)
    constraints: Mapping[str, tuple[IndexSet, Callable[..., Any]]] = field(default_factory=dict)
    cost: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    supply: Callable[[Any, int, int], list[Any]] = no_supply
