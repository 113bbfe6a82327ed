"""The eight combinations of accepted GPU kinds and jurisdictions that the reference jobs come in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """Jobs with the same accepted GPU kinds, speeds and jurisdictions.

    Parameters
    ----------
    gpu_kinds : accepted kinds with their speed relative to an H200 [1]; assumptions, evidence [G]
    jurisdictions : tags of the sites that may run it
    share : share of the jobs [1]
    largest : most recorded GPUs a job of this group was drawn with [GPU]
    homes : site -> weight of being the home site
    """

    gpu_kinds: dict[str, float]
    jurisdictions: tuple[str, ...]
    share: float
    largest: int
    homes: dict[str, float]

    @property
    def fastest(self) -> float:
        """Speed on the fastest accepted kind [1]."""
        return max(self.gpu_kinds.values())


_ALL = {"frankfurt": 0.15, "paris": 0.20, "amsterdam": 0.19, "malmo": 0.16, "copenhagen": 0.12, "narvik": 0.18}
_EU = {"frankfurt": 0.20, "paris": 0.24, "amsterdam": 0.22, "malmo": 0.20, "copenhagen": 0.14}

GROUPS = (
    Group({"gb300": 2.0, "h200": 1.0, "a100": 0.4}, ("EEA",), 0.24, 1024, _ALL),
    Group({"gb300": 2.0, "h200": 1.0}, ("EEA",), 0.17, 1024, _ALL),
    Group({"gb300": 2.2}, ("EEA",), 0.11, 1024, _ALL),
    Group({"gb300": 2.0, "h200": 1.0}, ("EU",), 0.16, 1024, _EU),
    Group({"gb300": 1.8, "h200": 1.0}, ("DE", "FR"), 0.12, 1024, {"frankfurt": 0.55, "paris": 0.45}),
    Group({"gb300": 2.0, "h200": 1.0}, ("DE",), 0.08, 512, {"frankfurt": 1.0}),
    Group({"h200": 1.0, "a100": 0.4}, ("EEA",), 0.08, 512, _ALL),
    Group({"h200": 1.0, "a100": 0.5}, ("NO", "SE", "DK"), 0.04, 512,
          {"malmo": 0.6, "copenhagen": 0.3, "narvik": 0.1}),
)  # fmt: skip
