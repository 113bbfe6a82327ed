"""Plan: from the program's flows to what each job does where and when."""

from energy.plan.placement import place
from energy.plan.shape import handed_over, shape_of

__all__ = ["handed_over", "place", "shape_of"]
