"""What is known about a source before it is asked: where it is, what it gives, its terms and its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from energy.sources.answer import Classifier

#: Answers that can still change are asked again after this long [s]: prices of tomorrow appear within minutes.
LIVE_TTL_S = 600
#: Answers about times further back than SETTLED are asked again after this long [s]: late corrections exist.
SETTLED_TTL_S = 30 * 86_400
#: Measurements and prices of this age hardly change any more.
SETTLED = np.timedelta64(3, "D")
#: Requests within a number of seconds, where a provider states no limit: what a polite script does.
POLITE = ((1.0, 4.0),)
#: How long a server is left alone after "too many requests" without a Retry-After [s].
BAN_S = 60.0


@dataclass(frozen=True)
class Key:
    """A credential: which variable holds it and in which request header it travels.

    `form` basic: HTTP Basic with the key as user and an empty password.
    """

    variable: str
    header: str
    form: Literal["plain", "basic"] = "plain"
    needed: bool = True


def one(url: str) -> float:
    """Weight of a request where every request counts one."""
    return 1.0


@dataclass(frozen=True)
class Source:
    """One provider at one host.

    Attributes
    ----------
    name : as in configuration, cache and reports; ``HYDROCOOL_<NAME>_URL`` replaces the base URL
    gives : what, in words
    base_url : where; `keyed_url` where a key is present (Open-Meteo's customer hosts)
    commercial : may a commercial product use it: yes, no, or as each response says
    budget : pairs (seconds, most weight in them), all kept at once
    weight : of a request, from its URL
    no_retry : statuses that a second attempt makes worse
    ban_s : how long the host is left alone after a 429 without Retry-After [s]
    """

    name: str
    gives: str
    base_url: str
    licence: str
    attribution: str
    classify: Classifier
    commercial: Literal["yes", "no", "as each response says"] = "yes"
    key: Key | None = None
    keyed_url: str = ""
    budget: tuple[tuple[float, float], ...] = POLITE
    weight: Callable[[str], float] = one
    no_retry: frozenset[int] = frozenset()
    ban_s: float = BAN_S

    @property
    def url_variable(self) -> str:
        """Environment variable that replaces the base URL."""
        return f"HYDROCOOL_{self.name.upper()}_URL"


def ttl(end: np.datetime64, now: np.datetime64, settled: np.timedelta64 = SETTLED) -> int:
    """How long an answer about times before `end` stays good [s].

    Parameters
    ----------
    settled : age from which on a source's numbers are complete
    """
    return SETTLED_TTL_S if end <= now - settled else LIVE_TTL_S
