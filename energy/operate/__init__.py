"""Operate: run folders, publishing; later state, the nightly ladder and hand-over."""
