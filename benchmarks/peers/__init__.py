"""The same problem in other people's modelling tools, for comparison of optima; not installed with the product."""
