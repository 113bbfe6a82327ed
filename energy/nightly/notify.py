"""Follow-up of a night: metrics, history page, PDF, messages. No failure of these fails the night; each is logged.

Messages go through apprise and the PDF through weasyprint; both are optional extras.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from energy.nightly import fallback, metrics
from energy.nightly.config import LATEST, NightlyWorkspace, now, replace_file
from energy.nightly.database import Store
from energy.nightly.history import HISTORY, pasts
from energy.nightly.logs import logger
from energy.nightly.outcome import Night, is_older
from energy.report import markdown
from energy.report.charts import ROLES, light
from energy.report.night import night_view
from energy.report.page import render_history
from energy.runs.folder import PAGE
from energy.runs.record import NIGHT, read_night

#: Addresses of messages, apart by spaces (apprise URLs); in the environment because they hold passwords.
ADDRESSES = "HYDROCOOL_NOTIFY"


def follow_up(workspace: NightlyWorkspace, store: Store | None, night: Night, quiet: bool = False) -> None:
    """Make everything that follows a night once it is on record.

    Parameters
    ----------
    store : None where the database cannot be used: no history then, and metrics and message without what it knows
    quiet : no metrics and no message, which are about the newest night alone
    """
    if not night.unchanged:
        _attempt("pdf", lambda: _pdf(workspace, night))
        if store is not None:
            _attempt("history", lambda: replace_file(workspace.out / HISTORY, render_history(pasts(store)).encode()))
    if quiet or (store is not None and is_older(workspace, store, night.day)):
        return
    undelivered = 0 if night.unchanged else _send(workspace, night)
    _attempt("metrics", lambda: _metrics(workspace, store, night, undelivered))


def _attempt(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as e:  # a full disk, a missing library, whatever a library raises: logged, never fatal
        problem = str(e) if isinstance(e, OSError) else f"{type(e).__name__}: {e}"
        logger().error(f"{what} not made", extra={"problem": problem})


def _metrics(workspace: NightlyWorkspace, store: Store | None, night: Night, undelivered: int) -> None:
    """Write the metrics of the last run on record, of this one where there is no database; none before the first."""
    timing = metrics.Timing(now(), None, notify_failures=undelivered)
    if store is not None:
        last = store.row("SELECT * FROM runs ORDER BY id DESC LIMIT 1")
        if last is None:
            return
        until = now().isoformat(timespec="seconds")  # a clock that was ahead has left a later one
        good = store.row("SELECT max(finished) AS at FROM runs WHERE published = 1 AND finished <= ?", until)
        timing = metrics.Timing(
            datetime.fromisoformat(last["finished"]),
            datetime.fromisoformat(good["at"]) if good and good["at"] else None,
            last["solve_seconds"], last["wall_seconds"], undelivered,
        )  # fmt: skip
    metrics.write(night.night or unpublished(workspace, store, night), timing, workspace.metrics)


def unpublished(workspace: NightlyWorkspace, store: Store | None, night: Night) -> dict[str, Any]:
    """Keys of night.json for a night without a plan: an unknown value is None, never zero.

    The fleet's name is that of the last plan, since the fleet file may be what is broken.
    """
    if store is None:
        folder = workspace.out / LATEST
        last = read_night(folder) if (folder / NIGHT).is_file() else None
    else:
        row = store.row("SELECT night_json FROM runs WHERE night_json IS NOT NULL ORDER BY id DESC LIMIT 1")
        last = json.loads(row["night_json"]) if row else None
    fleet = str(last["fleet"]) if last else workspace.config.name
    return {
        "date": str(night.day), "fleet": fleet, "run_id": night.run_id or "", "status": night.status,
        "method": night.method, "reasons": night.reasons, "forecast": {"hours": None}, "imputed_hours": {},
        "jobs": dict.fromkeys(("done", "running", "left", "late", "at_risk", "refused", "missing")),
        "unserved_gpu_hours": None, "deferred_gpu_hours": None, "last_settled_day": None, "saving_eur": {}, "pue": [], "peaks": [], "cost_eur": None, "gap": None,
    }  # fmt: skip


def _pdf(workspace: NightlyWorkspace, night: Night) -> None:
    """Draw the PDF beside the nights, not in them: its bytes depend on the library."""
    if workspace.config.pdf and night.folder is not None and (night.folder / PAGE).is_file():
        work = workspace.out / ".work"
        work.mkdir(exist_ok=True)
        draw(night.folder / PAGE, workspace.out / "pdf" / f"{night.folder.name}.pdf", work / "pdf.log")


def _send(workspace: NightlyWorkspace, night: Night) -> int:
    """Send the summary of a night, or why it has none; returns how many messages did not arrive."""
    addresses = os.environ.get(ADDRESSES, "").split()
    if not addresses:
        return 0
    try:
        if night.night is not None:
            link = f"{workspace.config.link.rstrip('/')}/{night.run_id}/{PAGE}" if workspace.config.link else None
            view = night_view(night.night)
            subject, text = view.top.title, markdown.page(view, link)
        else:
            subject = (
                f"{night.status}: {workspace.config.name}, {night.day}: nothing published, the last plan stays active"
            )
            reasons = "".join(f"- {markdown.escaped(r)}\n" for r in night.reasons)
            text = f"# {markdown.escaped(subject)}\n\n{reasons}"
        return sum(not d.delivered for d in notify(addresses, subject, text))
    except Exception as e:  # by its kind alone: its text may hold an address
        logger().error("not notified", extra={"problem": type(e).__name__})
        return len(addresses)


#: Longest wait for one service [s].
LONGEST_WAIT = 60.0
#: Longest wait for all of them together [s]: what follows a night keeps away from the fence of its timer.
ALL_WAIT = 180.0
NOT_INSTALLED = "apprise is not installed; pip install 'hydrocool[notify]'"
Sender = Callable[[str, str, str], bool]


@dataclass(frozen=True)
class Delivery:
    """Outcome of one message. `service` is the kind alone, such as slack: the rest of an address is a secret."""

    service: str
    delivered: bool
    problem: str = ""


def notify(
    addresses: Sequence[str], subject: str, markdown: str, send: Sender | None = None, wait: float = LONGEST_WAIT,
    all_wait: float = ALL_WAIT,
) -> list[Delivery]:  # fmt: skip
    """Send to every address, one after the other; each failure is logged and returned, none is raised.

    Parameters
    ----------
    addresses : apprise URLs, such as ``mailtos://user:password@example.org?to=board@example.org``
    send : function that delivers (address, subject, markdown); apprise when not given
    wait, all_wait : longest wait for one service, and for all together [s]; a message that comes later counts as lost
    """
    ends_at = time.monotonic() + all_wait
    out = []
    for address in addresses:
        if (left := min(wait, ends_at - time.monotonic())) > 0:
            out.append(_deliver(address, subject, markdown, send or _apprise, left))
        else:
            out.append(Delivery(service_of(address), False, "no time left: those before it did not answer"))
    for d in out:
        level, event = (logging.INFO, "notified") if d.delivered else (logging.ERROR, "not notified")
        logger().log(level, event, extra={"service": d.service, "problem": d.problem})
    return out


def service_of(address: str) -> str:
    """The kind of an address, without host, token or password."""
    found = re.match(r"[a-z][a-z0-9+.-]{0,30}(?=://)", address.strip().lower())
    return found[0] if found else "address without a service"


def _deliver(address: str, subject: str, markdown: str, send: Sender, wait: float) -> Delivery:
    """Send in a thread of its own: a service that never answers must not hold the night."""
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


#: Time for drawing one [s]: a library that hangs must not keep a night from its end.
LIMIT_S = 120.0
#: This file as `python -m` knows it.
MODULE = "energy.nightly.notify"
PDF_NOT_INSTALLED = "report.pdf needs weasyprint: pip install 'hydrocool[pdf]' (and the system library pango)"
_VARIABLE = re.compile(r"var\(--([a-z0-9]+)\)")
#: A4 with the page number below; boxes beside each other as flex, because weasyprint 70 fails on nested grids.
PRINT = """<style>
@page{size:A4;margin:14mm 12mm 16mm;@bottom-right{content:counter(page) " / " counter(pages);font-size:8pt;color:#5b6770}}
html{font-size:9pt}body{padding:0;max-width:none;font-size:9pt}nav,details{display:none}h1{font-size:20pt}
.status i{display:inline-block;text-align:center;width:13pt;height:13pt;line-height:13pt;font-size:9pt}
.tiles,.multiples,.two{display:flex;flex-wrap:wrap;gap:8pt}.tiles div{flex:1 1 16%;padding:7pt}.tiles dd{font-size:12pt}.tiles .below{font-size:7.5pt}
.multiples figure{flex:0 0 31%}figure{display:block}.two>div{flex:1 1 46%}
.causes div,.costs div,.strips>div,.fall div{display:flex}
.causes dt,.costs dt,.strips b,.fall dt{flex:0 0 80pt}.causes dd,.costs dd,.strips span,.fall dd{flex:1 1 0}
.costs dd.now{flex:1 1 0}.why{columns:1}
table,table.wide{min-width:0;width:100%;font-size:6.6pt}th,td{padding:3px 0 3px 6px;white-space:normal}
.scroll{overflow:visible}section{margin-top:14pt;padding-top:8pt}
</style></head>"""


class PdfError(OSError):
    """The PDF cannot be made: weasyprint or one of its libraries is missing, or the file cannot be written."""


def printable(html: str) -> str:
    """The page with the style of PRINT and in its light colours: pictures for print know no CSS variables."""
    return _VARIABLE.sub(lambda m: light(m[1]) if m[1] in ROLES else m[0], html.replace("</head>", PRINT, 1))


def write_pdf(html: str, path: Path) -> None:
    """Write the page as PDF beside its place and rename it.

    Raises
    ------
    PdfError : weasyprint is missing, or the file cannot be written.
    """
    weasyprint = import_weasyprint()
    content: bytes = weasyprint.HTML(string=printable(html), url_fetcher=_refuse).write_pdf()
    try:
        replace_file(path, content)
    except OSError as e:
        raise PdfError(f"{path}: cannot be written ({e.strerror or e})") from None


def draw(page: Path, target: Path, log: Path) -> None:
    """`write_pdf` in a process of its own, which ends in any case.

    Parameters
    ----------
    page : the report as HTML
    log : file that takes what the process prints

    Raises
    ------
    PdfError : as `write_pdf`, or it took longer than OVERTIME times LIMIT_S.
    """
    ended = fallback.run([str(page), str(target)], LIMIT_S, log, MODULE)
    if ended.code:
        raise PdfError(f"{target}: {ended.words or f'ended with exit code {ended.code}'}")


def import_weasyprint() -> Any:
    """The library, imported only where a PDF is asked for.

    Raises
    ------
    PdfError : weasyprint or a library of it is missing.
    """
    try:
        import weasyprint
    except (ImportError, OSError):  # OSError: the Python package is there, pango is not
        raise PdfError(PDF_NOT_INSTALLED) from None
    return weasyprint


def _refuse(url: str, *_: object, **__: object) -> NoReturn:
    """Refuse every address: a report loads nothing from the network."""
    raise ValueError(f"the report must not fetch {url[:80]}")


if __name__ == "__main__":
    try:
        write_pdf(Path(sys.argv[1]).read_text(encoding="utf-8"), Path(sys.argv[2]))
    except OSError as e:
        sys.exit(str(e))
