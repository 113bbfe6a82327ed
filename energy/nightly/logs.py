"""Structured logs: one JSON object per line, each with the run id, through the standard logging library.

A night's id is a hash of what it knows: until that is kept, its lines carry the night's name.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

#: Logger of the nightly run; every module below it logs through it.
LOGGER = "hydrocool"
#: Attributes of every LogRecord; what a record has beyond them came in with `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "run_id"}


def logger() -> logging.Logger:
    """The nightly run's logger."""
    return logging.getLogger(LOGGER)


class JsonLines(logging.Formatter):
    """A record as one line of JSON: time (UTC), level, run, event, fields of `extra`, error."""

    def __init__(self, run_id: str) -> None:
        super().__init__()
        self.run_id = run_id

    def format(self, record: logging.LogRecord) -> str:
        """One line; line breaks inside texts are escaped by JSON."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        line: dict[str, Any] = {
            "time": at, "level": record.levelname, "run_id": self.run_id, "event": record.getMessage(),
        }  # fmt: skip
        line |= {k: v for k, v in fields.items() if k not in line}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        # Escapes instead of other alphabets: a log viewer then shows no terminal codes and no text from right to left.
        return json.dumps(line, ensure_ascii=True, default=str)


class _LogFile(logging.FileHandler):
    """A log that a full disk ends: one line on stderr says so, and no night fails of it."""

    ended = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once that lines are lost."""
        error = sys.exc_info()[1]
        if isinstance(error, OSError) and not self.ended:
            print(f"{self.baseFilename}: the log cannot be written ({error.strerror or error})", file=sys.stderr)
        self.ended = True

    def close(self) -> None:
        """Close; what is still in the buffer of a full disk is lost."""
        with suppress(OSError):
            super().close()


def known_as(run_id: str) -> None:
    """The id of the run, from this line on."""
    for handler in logger().handlers:
        if isinstance(handler.formatter, JsonLines):
            handler.formatter.run_id = run_id


@contextmanager
def logging_to(path: Path | None, run_id: str, level: int = logging.INFO) -> Iterator[logging.Logger]:
    """Logger of the nightly run that appends its lines to `path`; None means stderr, which journald and containers keep.

    A file that cannot be opened fails no night. Its lines go to stderr then, and the first of them says why.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    problem = ""
    if path is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = _LogFile(path, encoding="utf-8")
        except OSError as e:
            problem = f"{path}: the log cannot be written ({e.strerror or e}); choose another with `log`"
    handler.setFormatter(JsonLines(run_id))
    logger = logging.getLogger(LOGGER)
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    if problem:
        logger.error("log not made", extra={"problem": problem})
    try:
        yield logger
    finally:
        logger.removeHandler(handler)
        handler.close()
        logger.level, logger.propagate = before
