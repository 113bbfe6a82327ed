"""Audit: certificate, replay, bill and baselines. Shares no code with `program/` or `solve/`."""
