"""Credentials from the environment or a 0600 file, and the one place that knows how to blot them out.

They travel in request headers only and are added below the cache (`http.py`), so URLs, cache files and
exceptions never hold them; what stands here is the second line of defence.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import stat
import traceback
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

#: Every variable of this program begins so; nothing else is read from a credentials file.
PREFIX = "HYDROCOOL_"
#: Names the file that holds credentials, one ``VARIABLE = value`` per line.
FILE_VARIABLE = f"{PREFIX}CREDENTIALS"
DEFAULT_FILE = Path("~/.config/hydrocool/credentials")
#: Shorter values are not blotted out: every such string of letters would vanish from ordinary text.
SHORTEST = 6
BLOT = "***"
#: Libraries that log addresses, with what our code says itself.
LOGGERS = ("requests_cache", "urllib3", "requests", "energy")
_LINE = re.compile(r"^\s*([A-Z][A-Z0-9_]*)\s*=\s*(.*?)\s*$")
_known: set[str] = set()


class CredentialError(ValueError):
    """A credential, or a file of them, that cannot be used; names variable, file and line, never a value."""


#: Secrets by variable name; the repr of a SecretStr shows nothing.
Credentials = Mapping[str, SecretStr]


def credentials(environ: Mapping[str, str], variables: frozenset[str]) -> Credentials:
    """Secrets of the given variables: the environment first, then the file.

    Raises CredentialError: a file that is named but not there, readable by others, or has a line without a variable; a value
        that no header may carry.
    """
    named = environ.get(FILE_VARIABLE, "")
    path = Path(named or DEFAULT_FILE).expanduser()
    if named and not path.is_file():
        raise CredentialError(f"{FILE_VARIABLE}: there is no file {path}; allowed: a file of mode 0600, or unset")
    found = _read_file(path) if path.is_file() else {}
    found |= {name: environ[name] for name in variables if environ.get(name, "").strip()}
    values = {name: header_text(name, value) for name, value in found.items() if name in variables}
    return remember({name: value for name, value in values.items() if value})


def header_text(variable: str, value: str) -> str:
    """Value of a variable without white space at its ends: copied tokens end in a newline.

    CredentialError, without the value, where no request header may carry it.
    """
    text = value.strip()
    if not (text.isascii() and text.isprintable()):
        raise CredentialError(f"{variable}: holds a line break or another character that is not printable ASCII")
    return text


def remember(values: Mapping[str, str]) -> Credentials:
    """Credentials whose values, in each form they travel in, are blotted out from now on."""
    for value in values.values():
        if len(value) >= SHORTEST:
            basic = (base64.b64encode(text.encode()).decode() for text in (value, f"{value}:"))
            _known.update({value, quote(value, safe=""), *basic})
    return {name: SecretStr(value) for name, value in values.items()}


def _read_file(path: Path) -> dict[str, str]:
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise CredentialError(f"{path}: others may read it; allowed: mode 0600 (chmod 600 {path})")
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise CredentialError(f"{path}: is not text; allowed: lines {PREFIX}NAME = value in UTF-8") from None
    out = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line)
        if match is None or not match[1].startswith(PREFIX):
            raise CredentialError(f"{path}: line {number} is not {PREFIX}NAME = value")
        out[match[1]] = match[2]
    return out


def redact(text: str) -> str:
    """`text` with every known secret blotted out."""
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, BLOT)
    return text


def scrub(body: bytes) -> bytes:
    """`body` with every known secret blotted out: servers echo tokens in error pages."""
    for secret in sorted(_known, key=len, reverse=True):
        body = body.replace(secret.encode(), BLOT.encode())
    return body


class Redaction(logging.Filter):
    """Blots secrets out of a record: its message, its arguments and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return True: the record stays, its secrets go."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = redact("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        return True


_REDACTION = Redaction()


def redact_logs() -> None:
    """Put the filter on every logger of the libraries that log addresses.

    A filter on a parent logger does not see the records of its children, so each gets it.
    """
    names = [n for n in logging.root.manager.loggerDict if n.split(".")[0] in LOGGERS]
    for name in {*names, *LOGGERS}:
        logging.getLogger(name).addFilter(_REDACTION)
