"""Align, resample, check, assemble: the `Problem`, one Dataset from which everything else follows."""

from energy.problem.assemble import assemble
from energy.problem.notices import notices
from energy.problem.read import Inputs, read_inputs

__all__ = ["Inputs", "assemble", "notices", "read_inputs"]
