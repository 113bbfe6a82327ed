"""Align, resample, check, assemble: the `Problem`, one Dataset from which everything else follows."""

from energy.problem.assemble import assemble, notices

__all__ = ["assemble", "notices"]
