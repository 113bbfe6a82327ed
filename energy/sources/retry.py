"""urllib3's Retry with three changes: it counts against the budget, waits only briefly, and drains nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from urllib3.exceptions import InvalidHeader, MaxRetryError, ResponseError
from urllib3.util.retry import Retry

from energy.sources.settings import RETRY_AFTER_S

#: Statuses after which the same request may succeed a moment later.
AGAIN = frozenset({429, 500, 502, 503, 504})
#: Repeated attempts after no connection or no answer; more would only lengthen the time without a network.
UNREACHED = 1
#: Pauses get up to this much longer at random [s], so that many clients do not come back together.
JITTER_S = 0.25
#: Longest pause between attempts [s].
BACKOFF_MAX_S = 30.0


class PacedRetry(Retry):
    """Retries that book each attempt with `pace` and wait with `wait`; `never` lists statuses left alone."""

    pace: Callable[[], None]
    wait: Callable[[float], None]
    never: frozenset[int]

    def new(self, **kw: Any) -> PacedRetry:
        """The same policy with new counters."""
        fresh = super().new(**kw)
        fresh.pace, fresh.wait, fresh.never = self.pace, self.wait, self.never
        return fresh

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """May this status be tried again?"""
        return status_code not in self.never and super().is_retry(method, status_code, has_retry_after)

    def get_retry_after(self, response: Any) -> float | None:
        """Seconds of the header; None where it is missing or nonsense."""
        try:
            return super().get_retry_after(response)
        except (InvalidHeader, OverflowError, ValueError):
            return None

    def increment(self, *args: Any, **kw: Any) -> PacedRetry:
        """Count an attempt; a Retry-After above RETRY_AFTER_S ends the attempts.

        The failed answer is closed, not read to its end: it may be endless.
        """
        response = kw.get("response")
        fresh = super().increment(*args, **kw)
        if response is not None:
            if (self.get_retry_after(response) or 0.0) > RETRY_AFTER_S:
                raise MaxRetryError(kw["_pool"], "", ResponseError("asked to wait for longer than a request lasts"))
            response.close()
        return fresh

    def sleep(self, response: Any = None) -> None:
        """Wait as asked or by the back-off, then book the next attempt."""
        asked = self.get_retry_after(response) if response is not None else None
        self.wait(asked or self.get_backoff_time())
        self.pace()


def policy(
    tries: int, backoff_s: float, never: frozenset[int], pace: Callable[[], None], wait: Callable[[float], None]
) -> PacedRetry:
    """The policy of one source.

    Parameters
    ----------
    tries : attempts, the first included
    pace : called before each repeated attempt
    wait : called with the length of each pause [s]
    """
    retry = PacedRetry(
        total=tries - 1, connect=min(tries - 1, UNREACHED), read=min(tries - 1, UNREACHED), allowed_methods=frozenset({"GET"}), status_forcelist=AGAIN, raise_on_status=False,
        backoff_factor=backoff_s, backoff_jitter=min(JITTER_S, backoff_s), backoff_max=BACKOFF_MAX_S, redirect=False,
    )  # fmt: skip
    retry.pace, retry.wait, retry.never = pace, wait, never
    return retry
