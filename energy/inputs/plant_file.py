"""Plant files as written: every constant with value, unit, source and evidence tag."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from energy.inputs.yamlfile import Frozen

#: How well a constant is known: read at the source, measured or computed for this project, quoted by a second
#: source, engineering judgement, from memory and unverified.
Evidence = Literal["R", "M", "S", "G", "mem"]
Text = Annotated[str, Field(min_length=3)]


class Constant(Frozen):
    """One number of a plant file with where it comes from."""

    value: Annotated[float, Field(strict=True)]
    unit: Annotated[str, Field(min_length=1)]
    source: Text
    evidence: Evidence


class PlantFile(Frozen):
    """One file of ``models/plants/``; what its `parameters` must be is up to the archetype."""

    archetype: str
    description: Text
    parameters: dict[str, Constant]
    electrical: Annotated[dict[str, dict[str, Constant]], Field(min_length=1)]
