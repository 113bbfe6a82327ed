"""Messages of a night through apprise (optional extra): mail, chat, pager. A failed delivery never fails a run."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from energy.operate.logs import LOGGER

#: Longest wait for one service [s].
LONGEST_WAIT = 60.0
#: Longest wait for all of them together [s]: what follows a night keeps away from the fence of its timer.
ALL_WAIT = 180.0
NOT_INSTALLED = "apprise is not installed; pip install 'hydrocool[notify]'"

Sender = Callable[[str, str, str], bool]


@dataclass(frozen=True)
class Delivery:
    """What became of one message. `service` is the kind alone, such as slack: the rest of an address is a secret."""

    service: str
    delivered: bool
    problem: str = ""


def notify(
    addresses: Sequence[str],
    subject: str,
    markdown: str,
    send: Sender | None = None,
    wait: float = LONGEST_WAIT,
    all_wait: float = ALL_WAIT,
) -> list[Delivery]:
    """Send to every address, one after the other; each failure is logged and returned, none is raised.

    Parameters
    ----------
    addresses : apprise URLs, such as ``mailtos://user:password@example.org?to=board@example.org``
    send : what delivers (address, subject, markdown); apprise when not given
    wait, all_wait : longest wait for one service, and for all together [s]; whom it does not reach counts as lost
    """
    ends_at = time.monotonic() + all_wait
    out = []
    for address in addresses:
        left = min(wait, ends_at - time.monotonic())
        out.append(_deliver(address, subject, markdown, send or _apprise, left) if left > 0 else _too_late(address))
    for d in out:
        level = logging.INFO if d.delivered else logging.ERROR
        logging.getLogger(LOGGER).log(
            level, "notified" if d.delivered else "not notified", extra={"service": d.service, "problem": d.problem}
        )
    return out


def failures(deliveries: Sequence[Delivery]) -> int:
    """How many were not delivered: the metric of that name."""
    return sum(not d.delivered for d in deliveries)


def service_of(address: str) -> str:
    """The kind of an address, without host, token or password."""
    found = re.match(r"[a-z][a-z0-9+.-]{0,30}(?=://)", address.strip().lower())
    return found[0] if found else "address without a service"


def _too_late(address: str) -> Delivery:
    return Delivery(service_of(address), False, "no time left: those before it did not answer")


def _deliver(address: str, subject: str, markdown: str, send: Sender, wait: float) -> Delivery:
    """In a thread of its own: a service that never answers must not hold the night."""
    result: list[Delivery] = []
    service = service_of(address)

    def attempt() -> None:
        try:
            sent = send(address, subject, markdown)
            result.append(Delivery(service, sent, "" if sent else "the service did not take the message"))
        except ModuleNotFoundError:
            result.append(Delivery(service, False, NOT_INSTALLED))
        except Exception as e:  # whatever a service's library raises: logged by its kind, its text may hold the address
            result.append(Delivery(service, False, type(e).__name__))

    worker = threading.Thread(target=attempt, name=f"notify-{service}", daemon=True)
    worker.start()
    worker.join(wait)
    return result[0] if result else Delivery(service, False, f"no answer within {wait:g} s")


def _apprise(address: str, subject: str, markdown: str) -> bool:
    import apprise

    sender: Any = apprise.Apprise()
    if not sender.add(address):
        raise ValueError("apprise does not know this kind of address")
    return bool(sender.notify(body=markdown, title=subject, body_format=apprise.NotifyFormat.MARKDOWN))
