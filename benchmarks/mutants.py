"""A seeded sample of mutants, every file represented; mutmut makes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parents[1]
#: Rooms of `make mutation`; the others are drawn from when they are asked for.
ROOMS = ("energy/program", "energy/audit", "energy/plant")
#: Every room whose mistakes change a plan, a bill or what is published.
ALL_ROOMS = (*ROOMS, "energy/problem", "energy/schedule", "energy/inputs", "energy/series", "energy/solve", "energy/runs",
             "energy/handover", "energy/nightly")  # fmt: skip
#: Mutants of every file that has any; the rest of the sample is drawn from all that is left.
LEAST_OF_A_FILE = 2


@dataclass(frozen=True)
class Mutant:
    """One changed file."""

    path: str
    line: int
    text: str  # the line as it was
    before: str
    after: str
    source: str

    @property
    def digest(self) -> str:
        """Of the whole changed file: a verdict holds for it and for nothing else."""
        return hashlib.sha256(f"{self.path} {self.source}".encode()).hexdigest()[:16]


def sample(size: int, seed: int, rooms: Sequence[str] = ROOMS) -> list[Mutant]:
    """Two of every file that has any, the rest from all that is left, in drawing order.

    A mutant's rank is a hash of seed, file and its number in the file, so that the sample of a file stays what it
    was when another file changes, and any beginning of the list is a fair sample too.
    """
    from mutmut.mutation.file_mutation import create_mutations

    modules, ranked = {}, []
    for path in _files(rooms):
        modules[path], mutations, *_ = create_mutations(path, (CHECKOUT / path).read_text(encoding="utf-8"))
        mine = sorted((_rank(seed, path, i), path, m) for i, m in enumerate(mutations))
        ranked += [(i >= LEAST_OF_A_FILE, *m) for i, m in enumerate(mine)]
    drawn = sorted(ranked, key=lambda r: r[:2])[: max(size, sum(not r[0] for r in ranked))]
    return [_written(path, modules[path], m) for _, _, path, m in sorted(drawn, key=lambda r: r[1])]


def _files(rooms: Sequence[str]) -> Iterator[str]:
    for room in rooms:
        yield from sorted(p.relative_to(CHECKOUT).as_posix() for p in (CHECKOUT / room).rglob("*.py"))


def _rank(seed: int, path: str, number: int) -> str:
    return hashlib.sha256(f"{seed} {path} {number}".encode()).hexdigest()


def _written(path: str, module: Any, mutation: Any) -> Mutant:
    """The file with one mutation in it."""
    old, new = module.code, module.deep_replace(mutation.original_node, mutation.mutated_node).code
    pairs = zip(old.splitlines(), new.splitlines(), strict=False)
    line, text = next(((i, a) for i, (a, b) in enumerate(pairs, 1) if a != b), (0, ""))
    before, after = (module.code_for_node(n).strip() for n in (mutation.original_node, mutation.mutated_node))
    return Mutant(path, line, text.strip(), before, after, new)
