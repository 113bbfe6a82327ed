"""Facts about a source before it is asked (`Source`), and the set-up of the client (`Settings`)."""

from __future__ import annotations

import ipaddress
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import numpy as np

from energy import __version__
from energy.series.labels import Origin
from energy.sources.client.answer import Classifier, SourceError
from energy.sources.client.credentials import Credentials, credentials, header_text

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


@dataclass(frozen=True)
class Source(Origin):
    """One provider at one host.

    Attributes
    ----------
    name : ``HYDROCOOL_<NAME>_URL`` replaces the base URL
    gives : what, as text
    base_url : where; `keyed_url` where a key is present (Open-Meteo's customer hosts)
    commercial : may a commercial product use it: yes, no, or as each response says
    budget : pairs (seconds, most weight in them), all kept at once
    weight : of a request, from its URL; one where every request counts the same
    no_retry : statuses that a second attempt makes worse
    ban_s : how long the host is left alone after a 429 without Retry-After [s]
    """

    gives: str
    base_url: str
    classify: Classifier
    commercial: Literal["yes", "no", "as each response says"] = "yes"
    key: Key | None = None
    keyed_url: str = ""
    budget: tuple[tuple[float, float], ...] = POLITE
    weight: Callable[[str], float] = lambda url: 1.0
    no_retry: frozenset[int] = frozenset()
    ban_s: float = BAN_S

    @property
    def url_variable(self) -> str:
        """Environment variable that replaces the base URL."""
        return f"HYDROCOOL_{self.name.upper()}_URL"


def ttl(end: np.datetime64, now: np.datetime64, settled: np.timedelta64 = SETTLED) -> int:
    """Time for which an answer about times before `end` stays good [s].

    Parameters
    ----------
    settled : age from which on a source's numbers are complete
    """
    return SETTLED_TTL_S if end <= now - settled else LIVE_TTL_S


#: Longest Retry-After that is waited for inside a request [s]; longer ones become "quota" at once.
RETRY_AFTER_S = 20.0
CONTACT_VARIABLE = "HYDROCOOL_CONTACT"
PRIVATE_VARIABLE = "HYDROCOOL_PRIVATE_USE"
LOOPBACK_VARIABLE = "HYDROCOOL_LOOPBACK_HTTP"


@dataclass(frozen=True)
class Settings:
    """Set-up of a Client besides its sources.

    Attributes
    ----------
    folder : where the cache, the raw answers and the ledger live
    urls : base URLs that replace the catalogue's, by source name
    loopback_http : plain http is allowed, on loopback addresses only; for tests and local mirrors
    contact : e-mail or address of the user, part of the User-Agent, as MET Norway asks
    private_use : the user states that the use is private: sources and answers that forbid commercial use may be used
    clock, wall, sleep : time of day for answers, seconds for limits, and how to wait
    """

    folder: Path
    urls: Mapping[str, str] = field(default_factory=dict)
    credentials: Credentials = field(default_factory=dict)
    loopback_http: bool = False
    contact: str = ""
    private_use: bool = False
    # A server that takes no connection within this time [s] is down; a handshake takes well under one.
    connect_s: float = 6.0
    # Longest silence within an answer [s]: ENTSO-E takes up to 20 s for a year of quarter hours.
    read_s: float = 45.0
    # Longest time for a whole body [s]: a server that drips a byte a second keeps every silence short.
    total_s: float = 180.0
    # Largest body after decompression [bytes]: a year of everything we ask for stays under 16 MB.
    most_bytes: int = 48 * 1024 * 1024
    # Attempts per request, the first included: what four do not bring, the next night or the next source does.
    tries: int = 4
    # First pause before a repeated attempt [s], doubled each time.
    backoff_s: float = 0.5
    # How long past its expiry an answer may still stand in for a server that fails [s]: one weekend.
    stale_s: int = 3 * 86_400
    ttl_s: int | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC).replace(tzinfo=None)
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @property
    def user_agent(self) -> str:
        """User-Agent: program, version and how to reach the user."""
        name = f"hydrocool/{__version__}"
        return f"{name} ({self.contact})" if self.contact else f"{name} (day-ahead energy optimiser)"

    def base_url(self, source: Source) -> str:
        """Base URL of a source, ending in a slash; SourceError unless https or, where allowed, http on a loopback address."""
        keyed = source.keyed_url if source.key and self.credentials.get(source.key.variable) else ""
        url = (self.urls.get(source.name) or keyed or source.base_url).rstrip("/") + "/"
        parts = urlsplit(url)
        plain = parts.scheme == "http" and self.loopback_http and loopback(parts.hostname or "")
        if (parts.scheme != "https" and not plain) or not parts.hostname or parts.username or parts.query:
            reason = "base URL must be https (http only on loopback, where allowed), without user or query"
            raise SourceError(source.name, "fatal", f"{reason}; found {parts.scheme}://{parts.hostname}")
        return url


def loopback(host: str) -> bool:
    """Tell whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def from_environment(folder: Path, sources: Mapping[str, Source], environ: Mapping[str, str] | None = None) -> Settings:
    """Settings as the environment variables and the credentials file say.

    Raises CredentialError: credentials or a contact that cannot be used; names the variable or the file.
    """
    env = os.environ if environ is None else environ
    variables = frozenset(s.key.variable for s in sources.values() if s.key)
    return Settings(
        folder,
        urls={name: env[s.url_variable] for name, s in sources.items() if env.get(s.url_variable)},
        credentials=credentials(env, variables),
        loopback_http=_yes(env, LOOPBACK_VARIABLE),
        contact=header_text(CONTACT_VARIABLE, env.get(CONTACT_VARIABLE, "")),
        private_use=_yes(env, PRIVATE_VARIABLE),
    )


def _yes(environ: Mapping[str, str], variable: str) -> bool:
    return environ.get(variable, "").strip().lower() in {"1", "yes", "true"}
