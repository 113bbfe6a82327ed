"""Hand-over to schedulers, both ways: their queue becomes a job table, the plan becomes hourly GPU quotas.

What goes out is what the plan really decides: how many GPUs of each pool each group of jobs may hold in each period.
Start times of single jobs are not part of it; they wait for the executable plan.
"""

from energy.handover.quota import Group, Quotas, quotas

__all__ = ["Group", "Quotas", "quotas"]
