"""Fixtures for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from energy.inputs import yaml_files
from energy.inputs.resources import root
from tests.cases import SmallCase

#: Examples per law, each a few solves: make test has five minutes; `--hypothesis-profile thorough` is make laws.
settings.register_profile("quick", max_examples=2)
settings.register_profile("thorough", max_examples=25)
settings.load_profile("quick")


@pytest.fixture(scope="session", autouse=True)
def models_are_parsed_once() -> Iterator[None]:
    """Files below models/ do not change during the tests; parsing them anew would take half of the time."""
    parse = yaml_files.read_yaml
    parse_once = lru_cache(maxsize=None)(parse)

    def read_yaml(path: Path) -> dict[str, Any]:
        return deepcopy(parse_once(path)) if path.is_relative_to(root() / "models") else parse(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_files, "read_yaml", read_yaml)
        yield


@pytest.fixture(autouse=True)
def nights_run_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests replace parts of a night, which a child process would not see; those of the child start real commands."""
    monkeypatch.setattr("energy.nightly.child.SEPARATE", False)


@pytest.fixture
def case(tmp_path: Path) -> SmallCase:
    """A small complete case in a folder of its own."""
    return SmallCase(tmp_path)
