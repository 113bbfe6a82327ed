"""YAML 1.2 files into frozen pydantic models, with errors that name the file and the key.

YAML 1.1 reads ``NO`` as False, which loses Norway; so the 1.2 loader, and nothing else, is used.
"""

import io
import stat
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from energy.errors import ConfigError
from energy.series.content import MOST_DEPTH, complaint

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
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
            raise ConfigError(path, "is no regular file", "YAML 1.2")
        text = path.read_text(encoding="utf-8-sig")
        if why := complaint(text):
            raise ConfigError(path, why)
        data = parsed(text)
    except OSError as e:
        raise ConfigError(path, f"cannot be read ({e.strerror})") from None
    except UnicodeDecodeError:
        raise ConfigError(path, "is not UTF-8 text") from None
    except YAMLError as e:
        mark: Any = getattr(e, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else path
        problem = str(getattr(e, "problem", None) or e).splitlines()[0]
        raise ConfigError(where, problem, "YAML 1.2, each key once") from None
    except RecursionError:
        raise ConfigError(path, "is nested too deeply", f"at most {MOST_DEPTH} levels") from None
    except ConfigError:
        raise
    except ValueError as e:  # text that looks like a date but is not one
        raise ConfigError(path, f"a date that does not exist ({e})", "YYYY-MM-DD") from None
    if not isinstance(data, dict):
        raise ConfigError(path, "is empty or not a mapping of keys to values")
    return data


def parsed(text: str) -> Any:
    """Content of a YAML 1.2 text, the caller's own copy."""
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
    """Content of a text. Cached: parsing takes a tenth of a second and a night reads each plant and tariff ten times."""
    return YAML(typ="safe", pure=True).load(text)


def load_model(path: Path, model: type[M]) -> M:
    """Read `path` into `model`.

    Raises
    ------
    ConfigError : names the file, the keys and what is allowed there.
    """
    return validate(path, read_yaml(path), model)


def validate(where: object, data: Any, model: type[M]) -> M:
    """`data` as `model`; raises a ConfigError that lists each key at fault."""
    try:
        return model.model_validate(data)
    except ValidationError as e:
        found = e.errors(include_url=False)
        locs = [err["loc"] for err in found]
        # An error that only follows from one further in is left out.
        errors = [e for e in found if not any(len(x) > len(e["loc"]) and x[: len(e["loc"])] == e["loc"] for x in locs)]
        lines = [_line(dict(err), model) for err in errors[:MOST_ERRORS]]
        if len(errors) > MOST_ERRORS:
            lines.append(f"… and {len(errors) - MOST_ERRORS} more")
        raise ConfigError(where, "; ".join(lines)) from None


def _line(err: dict[str, Any], model: type[BaseModel]) -> str:
    """One error: the key as the file writes it, what is wrong and what was found."""
    loc = err["loc"]
    # After an item of a list pydantic adds the kind that it was read as.
    added = {i for i, part in enumerate(loc) if i and isinstance(loc[i - 1], int) and part in KINDS}
    key = ".".join(str(part) for i, part in enumerate(loc) if i not in added and part != "[key]")
    if err["type"] == "extra_forbidden":
        return f"{key}: unknown key; allowed there: {', '.join(_keys(model, loc[:-1]))}"
    if err["type"] == "missing":
        return f"{key}: missing"
    shown = err.get("input")
    found = f" (found {shown!r})" if isinstance(shown, (str, int, float, bool)) else ""
    text = str(err["msg"])
    for theirs, ours in WORDING:
        text = text.replace(theirs, ours)
    return f"{key}: {text}{found}" if key else text


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """Keys that the model allows at a place, read off its JSON Schema."""
    schema: dict[str, Any] = model.model_json_schema()
    node = schema
    for part in loc:
        kinds = node.get("discriminator", {}).get("mapping", {})
        named = node.get("properties", {}).get(part) or next(iter(node.get("patternProperties", {}).values()), None)
        child = named or node.get("additionalProperties") or node.get("items") or {}
        node = _resolved({"$ref": kinds[part]} if part in kinds else child, schema)
    return list(node.get("properties", {}))


def _resolved(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Schema that a reference refers to; of several choices the first that has keys or items."""
    if "$ref" in node:
        return _resolved(schema["$defs"][node["$ref"].rpartition("/")[2]], schema)
    choices = [_resolved(choice, schema) for choice in node.get("anyOf", [])]
    return next((c for c in choices if {"properties", "items", "additionalProperties"} & set(c)), node)
