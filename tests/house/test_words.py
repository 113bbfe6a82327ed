"""Words that this project refuses may become fewer and never more: `docs/glossary.md` has the field's terms.

`python -m tests.house.test_words` prints the places of every refused word, or of those named as arguments;
with `--lower` it lowers the table beside this file to what is left.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

CHECKOUT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("refused_words.yaml")
FOLDERS = ("benchmarks", "data/reference", "deploy", "docs", "energy", "models", "tests")
SUFFIXES = {".cff", ".css", ".j2", ".json", ".md", ".py", ".service", ".timer", ".toml", ".yaml", ".yml"}
#: The folder of files at the top of the checkout.
TOP = "."
TOP_FILES = ("CONTRIBUTING.md", "Containerfile", "Makefile", "README.md", "pyproject.toml")
#: History, the glossary's own column of former words, and the two files of this test.
EXEMPT = {
    "docs/glossary.md", "tests/house/test_words.py", "tests/house/refused_words.yaml",
    "benchmarks/features.json", "docs/formats.md", "energy/runs/older_formats.py",  # persisted names, also of older formats
    "tests/format_1/make.py", "tests/format_1/make_arrays.py", "tests/format_1/test_format_1.py", "tests/format_1/test_arrays_1.py",
}  # fmt: skip

#: Word, in the singular -> what to write instead.
REFUSED = {
    "told": "say what happens: `is reported`, `is passed`; in names `message`, `on_progress`, `job_status`",
    "stands in": "`is in`, `contains`; for a substitute `replaces`, `is imputed`",
    "stand-in": "`substitute`, `imputed value`, `completed solution`",
    "anew": "`again`, `from the start`",
    "of late": "`recently`, or the number of days",
    "whoever": "name who: `the operator`, `any process`",
    "lies behind": "`is the cause of`, `is the source of`",
    "made good": "`corrected`, `repaired`",
    "books": "`settlement`, `account`",
    "booked": "`settled`",
    "rung": "`fallback method`",
    "ladder": "`fallback sequence`",
    "climb": "`run the fallback sequence`",
    "is no such": "`is not a`, with what is allowed",
    "that is none": "say what it is instead, with what is allowed",
    "promise": "`ex-ante cost`",
    "promised": "`ex-ante`",
    "as then": "`reproduce from snapshot`",
    "revived": "`reproduced from snapshot`",
    "cure": "`remedy`",
    "wider job": "`raise_max_gpus`",
    "what would help": "`binding limits`",
    "tonight": "`NightContext`",
    "it min": "`base_it`",
    "overhead min": "`base_overhead`",
    "later price": "`terminal_price`",
    "guard room": "`post_horizon_capacity`",
    "guard until": "`post_horizon_until`",
    "guard group": "`post_horizon_group`",
    "over cap": "`cap_breach`",
    "dual guard": "`dual_post_horizon_capacity`",
    "dual place": "`dual_link`",
    "dual room": "`dual_pool_capacity`",
    "dual volume": "`dual_offtake_limit`",
    "bound run": "`bound_cumulative_gpus`",
    "gpu hour room": "`gpu_hour_capacity`",
}
#: What may stand between two words: also an underscore, a hyphen, a line break with a comment sign.
BETWEEN = r"[\s_#:*-]+"


@dataclass(frozen=True)
class Place:
    """One refused word in one line; the name of a file counts as its line 0."""

    word: str
    folder: str
    path: str
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word}"


def pattern(word: str) -> re.Pattern[str]:
    """The word as a part of names and of sentences, in any case."""
    return re.compile(r"(?<![a-z])" + word.replace("-", "[-_]").replace(" ", BETWEEN) + r"s?(?![a-z])", re.IGNORECASE)


PATTERNS = {word: pattern(word) for word in REFUSED}


def found_in(text: str) -> Iterator[tuple[str, int]]:
    """Refused words of a text, each with its line, the first being 0."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)  # FallbackRung has two words
    for word, shape in PATTERNS.items():
        for match in shape.finditer(apart):
            yield word, apart.count("\n", 0, match.start())


def files() -> Iterator[tuple[str, Path]]:
    """Folder and path of every file that is read."""
    for name in TOP_FILES:
        yield TOP, CHECKOUT / name
    for folder in FOLDERS:
        for path in sorted((CHECKOUT / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.relative_to(CHECKOUT).as_posix() not in EXEMPT:
                yield folder, path


def places() -> list[Place]:
    """Every refused word of the checkout."""
    out = []
    for folder, path in files():
        name = path.relative_to(CHECKOUT).as_posix()
        text = f"{path.stem}\n{path.read_text(encoding='utf-8')}"
        out += [Place(word, folder, name, line) for word, line in found_in(text)]
    return out


def allowed() -> dict[str, dict[str, int]]:
    """Word -> folder -> most that it may occur there; what is not in the table may not occur."""
    return YAML(typ="safe").load(TABLE.read_text(encoding="utf-8")) or {}


def test_refused_words_become_no_more():
    here, most = places(), allowed()
    wrong = []
    for (word, folder), count in sorted(Counter((p.word, p.folder) for p in here).items()):
        limit = most.get(word, {}).get(folder, 0)
        if count > limit:
            wrong.append(f"{word!r} occurs {count} times in {folder}, allowed {limit}. Write {REFUSED[word]}.")
            wrong += [f"    {p}" for p in here if (p.word, p.folder) == (word, folder)]
    assert not wrong, "\n".join(wrong)


def test_table_names_refused_words_and_folders_only():
    assert set(allowed()) <= set(REFUSED)
    assert {folder for row in allowed().values() for folder in row} <= {TOP, *FOLDERS}


def test_words_are_found_in_names_and_over_line_breaks():
    text = "class FallbackRung:\n    work_told = 1  # it was made\n    # good by the next\n# trunk, wrung, untold"
    assert sorted(found_in(text)) == [("made good", 1), ("rung", 0), ("told", 1)]


def lower(here: list[Place]) -> None:
    """Write the table again, each number the lesser of the table's and today's."""
    today, most = Counter((p.word, p.folder) for p in here), allowed()
    comment = [x for x in TABLE.read_text(encoding="utf-8").splitlines() if x.startswith("#")]
    rows = []
    for word in REFUSED:
        kept = {folder: min(n, today[word, folder]) for folder, n in most.get(word, {}).items()}
        cells = ", ".join(f"{folder}: {n}" for folder, n in sorted(kept.items()) if n)
        rows += [f"{word}: {{{cells}}}"] if cells else []
    TABLE.write_text("\n".join([*comment, *rows, ""]), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Print the places and how many there are by word and folder; lower the table where asked."""
    here = places()
    words = [a for a in arguments if a != "--lower"] or list(REFUSED)
    for place in sorted((p for p in here if p.word in words), key=lambda p: (p.word, p.path, p.line)):
        print(place)
    for (word, folder), count in sorted(Counter((p.word, p.folder) for p in here if p.word in words).items()):
        print(f"{word:16} {folder:16} {count:5}")
    if "--lower" in arguments:
        lower(here)


if __name__ == "__main__":
    main(sys.argv[1:])
