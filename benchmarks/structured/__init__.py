"""A structured interior point method on the product's own rows, measured beside HiGHS; the product does not use it yet.

The block form takes everything but the jobs from the Pyomo program; jobs' GPUs are three vectors. Where this stands is in
docs/testing.md: exact on the reference fleet, but slower than HiGHS up to 2,000 jobs, and some small mixed problems do not converge.
"""
