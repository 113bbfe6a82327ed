"""YAML 1.2 files into frozen pydantic models, with errors that name the file and the key.

YAML 1.1 reads ``NO`` as False, which loses Norway; so the 1.2 loader, and nothing else, is used.
"""

from __future__ import annotations

import io
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from energy.errors import ConfigError

M = TypeVar("M", bound=BaseModel)
#: How many problems of one file are printed at once; more would scroll the first out of sight.
MOST_ERRORS = 6
#: pydantic's words and what stands there instead.
WORDING = (
    ("Value error, ", ""), ("Input should be", "must be"), ("String should", "must"), ("Dictionary should", "must"),
    ("Tuple should", "must"), (" after validation", ""), (", unable to parse string as a number", ""),
)  # fmt: skip
#: Names of kinds, which `kind:` chooses between; `inputs.kinds` adds each as it is defined.
KINDS: set[str] = set()


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
        data = parsed(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise ConfigError(path, f"cannot be read ({e.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(path, "is not UTF-8 text") from None
    except YAMLError as e:
        raise ConfigError(f"{path}{_line_of(e)}", _problem(e), "YAML 1.2, each key once") from None
    except ValueError as e:  # what looks like a date and is none
        raise ConfigError(path, f"a date that does not exist ({e})", "YYYY-MM-DD") from None
    if not isinstance(data, dict):
        raise ConfigError(path, "is empty or not a mapping of keys to values")
    return data


def parsed(text: str) -> Any:
    """What a text in YAML 1.2 says, for the caller to change as it likes."""
    return deepcopy(_parsed(text))


def dumped(data: dict[str, Any]) -> bytes:
    """YAML 1.2 of a mapping, keys in the order given: that of sites and pools is the order of their axes."""
    yaml, out = YAML(typ="safe", pure=True), io.BytesIO()
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.default_flow_style = False
    yaml.dump(data, out)
    return out.getvalue()


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """What a text says; kept, because parsing takes a tenth of a second and a night reads each plant and tariff ten times."""
    return YAML(typ="safe", pure=True).load(text)


def _line_of(error: YAMLError) -> str:
    mark: Any = getattr(error, "problem_mark", None)
    return f":{mark.line + 1}" if mark else ""


def _problem(error: YAMLError) -> str:
    return str(getattr(error, "problem", None) or error).splitlines()[0]


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
        errors = _innermost(e.errors(include_url=False))
        lines = [_line(dict(err), model) for err in errors[:MOST_ERRORS]]
        if len(errors) > MOST_ERRORS:
            lines.append(f"… and {len(errors) - MOST_ERRORS} more")
        raise ConfigError(where, "; ".join(lines)) from None


def _innermost(errors: list[Any]) -> list[Any]:
    """Errors without those that only follow from one further in."""
    locs = [err["loc"] for err in errors]
    return [e for e in errors if not any(len(x) > len(e["loc"]) and x[: len(e["loc"])] == e["loc"] for x in locs)]


def _line(err: dict[str, Any], model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in _way(err["loc"]) if part != "[key]")
    if err["type"] == "extra_forbidden":
        return f"{key}: unknown key; allowed there: {', '.join(_keys(model, err['loc'][:-1]))}"
    if err["type"] == "missing":
        return f"{key}: missing"
    shown = err.get("input")
    found = f" (found {shown!r})" if isinstance(shown, (str, int, float, bool)) else ""
    text = str(err["msg"])
    for theirs, ours in WORDING:
        text = text.replace(theirs, ours)
    return f"{key}: {text}{found}" if key else text


def _way(loc: tuple[str | int, ...]) -> list[str | int]:
    """The way to a key as it stands in the file: behind an item of a list pydantic adds the kind it was read as."""
    return [
        part
        for i, part in enumerate(loc)
        if not (i and isinstance(loc[i - 1], int) and isinstance(part, str) and part in KINDS)
    ]


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Keys that the model allows at a place, read off its JSON Schema."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in loc:
        node = _resolved(_child(node, part), schema)
    return list(node.get("properties", {}))


def _child(node: dict[str, Any], part: str | int) -> dict[str, Any]:
    """The schema of a key, by its name or by the pattern of names, or of an item."""
    kinds = node.get("discriminator", {}).get("mapping", {})
    if part in kinds:
        return {"$ref": kinds[part]}
    named: dict[str, Any] | None = node.get("properties", {}).get(part)
    patterns = node.get("patternProperties", {}).values()
    return named or next(iter(patterns), None) or node.get("additionalProperties") or node.get("items") or {}


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to; of several choices the first that has keys or items."""
    if "$ref" in node:
        return _resolved(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    choices = [_resolved(choice, schema) for choice in node.get("anyOf", [])]
    return next((c for c in choices if {"properties", "items", "additionalProperties"} & set(c)), node)
