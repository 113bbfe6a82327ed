"""Names that Slurm, Kubernetes and file systems accept, one to one with the fleet's own."""

from __future__ import annotations

import hashlib
import json
import re

#: Longest name made here: a label of Kubernetes and a name of Slurm both hold it.
LONGEST = 60
#: Characters of the hash that keeps changed names apart: 2^32 values for some hundred names.
HASH = 8
_CLEAN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def safe(*parts: str) -> str:
    """Parts joined by dots, in lower case letters, digits and hyphens (RFC 1123).

    Parts that are clean already stay as they are; anything else is replaced and told apart by a hash.
    """
    joined = ".".join(parts)
    if all(_CLEAN.fullmatch(p) for p in parts) and len(joined) <= LONGEST:
        return joined
    pieces = [re.sub(r"[^a-z0-9]+", "-", p.lower()).strip("-") for p in parts]
    text = ".".join(p or "x" for p in pieces)[: LONGEST - HASH - 1].strip(".-")
    return f"{re.sub(r'[.-]*[.][.-]*', '.', text)}-{digest(parts)}"


def digest(content: object) -> str:
    """A short hash of anything JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:HASH]


def quoted(text: str) -> str:
    """A name for a comment: one line of ASCII between double quotes."""
    return json.dumps(text)
