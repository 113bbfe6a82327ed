"""Outputs that the redesign of the house leaves byte-equal."""
