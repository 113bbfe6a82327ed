"""Bytes of files before anything is parsed: kinds, sizes and depths that a reader may meet, each with one message.

A file that unpacks to more than memory, or nests deeper than a parser can follow, is refused by what its first bytes and its
own tables say. Nothing here knows what the content means.
"""

from __future__ import annotations

import io
import re
import stat
import zlib
from pathlib import Path
from typing import Any

from energy.errors import SeriesError

#: Most bytes of a file after unpacking: a year of quarter hours with 500 columns of text takes 300 MB.
MOST_BYTES = 512 * 1024**2
#: Most values of a table: as many numbers as MOST_BYTES hold.
MOST_VALUES = MOST_BYTES // 8
#: Bytes that are unpacked at once.
CHUNK = 1024**2
#: Most bytes and aliases of a YAML file: a fleet of a hundred sites has 200 kB, and hardly an alias.
MOST_YAML_BYTES, MOST_ALIASES = 5 * 1024**2, 200
#: Most levels of nesting of YAML and JSON: files of this program have eight.
MOST_DEPTH = 60
_ALIAS = re.compile(r"(?:^|[\s,\[{:-])\*[^\s,\]}]+")
_OPEN, _CLOSE = "[{", "]}"


def read_bytes(path: Path, allowed: str) -> io.BytesIO:
    """The whole file, unpacked where its name ends in .gz.

    Raises
    ------
    SeriesError : no regular file (a pipe would wait for ever), not readable, damaged, or larger than MOST_BYTES.
    """
    try:
        if not stat.S_ISREG((found := path.stat()).st_mode):
            raise SeriesError(path, "is no regular file", allowed)
        if found.st_size > MOST_BYTES:
            raise _too_large(path)
        raw = path.read_bytes()
    except SeriesError:
        raise
    except OSError as e:
        raise SeriesError(path, f"cannot be read ({e.strerror or e})", allowed) from None
    except ValueError as e:  # a name with a null byte
        raise SeriesError(path, f"is damaged or has an impossible name ({e})", allowed) from None
    return io.BytesIO(_unpacked(path, raw, allowed) if path.suffix.lower() == ".gz" else raw)


def _unpacked(path: Path, raw: bytes, allowed: str) -> bytes:
    """Every member of a gzip file."""
    parts, size = [], 0
    try:
        while raw:
            member = zlib.decompressobj(16 + zlib.MAX_WBITS)
            while not member.eof:
                part = member.decompress(raw, CHUNK)
                raw = member.unconsumed_tail
                size += len(part)
                if size > MOST_BYTES:
                    raise _too_large(path)
                if not part and not raw and not member.eof:
                    raise EOFError("it ends too soon")
                parts.append(part)
            raw = member.unused_data.lstrip(b"\0")
    except (EOFError, zlib.error) as e:
        raise SeriesError(path, f"is damaged or has an impossible name ({e})", allowed) from None
    return b"".join(parts)


def _too_large(path: Path) -> SeriesError:
    return SeriesError(path, "is too large, or unpacks to too much", f"at most {MOST_BYTES // 1024**2} MB of content")


def check_parquet(path: Path, content: io.BytesIO) -> None:
    """Refuse a Parquet file whose own tables state too many values.

    Raises
    ------
    SeriesError : more than MOST_VALUES.
    ValueError : no Parquet file.
    """
    from pyarrow.parquet import ParquetFile

    meta = ParquetFile(content).metadata
    stated = sum(meta.row_group(i).total_byte_size for i in range(meta.num_row_groups))
    content.seek(0)
    if meta.num_rows * meta.num_columns > MOST_VALUES or stated > MOST_BYTES:
        raise _too_large(path)


def check_hdf(path: Path, file: Any) -> None:
    """Refuse an open HDF5 file whose arrays together hold too much.

    Raises
    ------
    SeriesError : more than MOST_BYTES.
    """
    sizes: list[int] = []
    file.visititems(lambda _, item: sizes.append(int(item.nbytes)) if hasattr(item, "nbytes") else None)
    if sum(sizes) > MOST_BYTES:
        raise _too_large(path)


def complaint(text: str, yaml: bool = True) -> str:
    """Why a YAML or JSON text is not parsed at all: too long, too many aliases, too deep; empty where it may be."""
    if yaml and len(text) > MOST_YAML_BYTES:
        return f"has {len(text) // 1024**2} MB; allowed: at most {MOST_YAML_BYTES // 1024**2} MB"
    if yaml and (aliases := sum(1 for _ in _ALIAS.finditer(text))) > MOST_ALIASES:
        return f"has {aliases} aliases; allowed: at most {MOST_ALIASES}"
    return f"is nested too deeply; allowed: at most {MOST_DEPTH} levels" if _depth(text) > MOST_DEPTH else ""


def _depth(text: str) -> int:
    """Most brackets that are open at once, texts in quotes left out."""
    depth = most = 0
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text) if any(text.count(c) > MOST_DEPTH for c in _OPEN) else ""
    for c in bare:
        if c in _OPEN:
            depth += 1
            most = max(most, depth)
        elif c in _CLOSE:
            depth -= 1
    return most
