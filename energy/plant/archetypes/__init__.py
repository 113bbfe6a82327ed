"""Cooling archetypes, one file each."""
