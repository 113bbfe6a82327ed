"""Commands: what a person types, one module a group."""
