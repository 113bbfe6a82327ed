"""Align, resample, check, assemble: the `Problem`, one Dataset from which everything else follows."""

from energy.problem.assemble import Inputs, assemble, read_inputs

__all__ = ["Inputs", "assemble", "read_inputs"]
