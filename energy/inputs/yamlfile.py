"""YAML 1.2 files into frozen pydantic models, with errors that name the file and the key.

YAML 1.1 reads ``NO`` as False, which loses Norway; so the 1.2 loader, and nothing else, is used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from energy.inputs.errors import ConfigError

M = TypeVar("M", bound=BaseModel)

#: How many problems of one file are printed at once; more would scroll the first out of sight.
MOST_ERRORS = 6


class Frozen(BaseModel):
    """Base of every file model: immutable, no unknown keys, no NaN or infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse one YAML 1.2 file.

    Raises
    ------
    ConfigError : not readable, not YAML, a duplicate key, or not a mapping; names file and line.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = YAML(typ="safe", pure=True).load(text)
    except OSError as e:
        raise ConfigError(path, f"cannot be read ({e.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(path, "is not UTF-8 text") from None
    except MarkedYAMLError as e:
        line = e.problem_mark.line + 1 if e.problem_mark else 0
        raise ConfigError(f"{path}:{line}", str(e.problem), "YAML 1.2, each key once") from None
    if not isinstance(data, dict):
        raise ConfigError(path, "is empty or not a mapping of keys to values")
    return data


def load_model(path: Path, model: type[M]) -> M:
    """Read `path` into `model`.

    Raises
    ------
    ConfigError : names the file, the keys and what is allowed there.
    """
    return validate(path, read_yaml(path), model)


def validate(where: object, data: Any, model: type[M]) -> M:
    """`data` as `model`, or a ConfigError that lists each key at fault."""
    try:
        return model.model_validate(data)
    except ValidationError as e:
        errors = e.errors(include_url=False)
        lines = [_line(dict(err)) for err in errors[:MOST_ERRORS]]
        if len(errors) > MOST_ERRORS:
            lines.append(f"… and {len(errors) - MOST_ERRORS} more")
        raise ConfigError(where, "; ".join(lines)) from None


def _line(err: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in err["loc"])
    if err["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    if err["type"] == "missing":
        return f"{key}: missing"
    shown = err.get("input")
    found = f" (found {shown!r})" if isinstance(shown, (str, int, float, bool)) else ""
    return f"{key}: {err['msg'].removeprefix('Value error, ')}{found}"
