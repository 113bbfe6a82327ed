"""Timed problems and peers."""
