"""Exit codes: what a shell script or a scheduler can act on.

UNPUBLISHED: a night that ended without a plan of its own, `latest` as it was.
"""

OK, CONFIGURATION, DATA, IMPOSSIBLE, SOLVER, DEGRADED, UNPUBLISHED, INTERRUPTED = 0, 2, 3, 4, 5, 6, 7, 130
