"""Check Datasets against the table, assemble and describe them, print the table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from energy.schema.arrays import OPTIONAL_AXES, QUALITY, SCHEDULE, TABLES, Array, Floats


class SchemaError(ValueError):
    """A Dataset breaks the table: names the array, the first bad coordinate, the value, what is allowed."""


def check(ds: xr.Dataset, table: dict[str, Array]) -> xr.Dataset:
    """Return `ds` if it obeys `table`, with missing arrays filled by their defaults.

    Raises
    ------
    SchemaError : an array without a default is missing, an array is unknown, has other dimensions, or a value that is
        not finite or outside its range; the message names the first bad coordinate.
    """
    for name in ds.data_vars:
        if name not in table:
            raise SchemaError(f"{name}: not in the table of arrays; allowed: {', '.join(sorted(table))}")
    ds = _filled(ds, table)
    for array in table.values():
        if array.name in ds.variables:
            _check_one(ds, array)
    return _check_classes(_check_time(ds))


def _filled(ds: xr.Dataset, table: dict[str, Array]) -> xr.Dataset:
    """`ds` with its missing arrays; one over an axis that `ds` does not name stays away if it has a default."""
    sizes = dict.fromkeys(OPTIONAL_AXES, 0) | {str(d): n for d, n in ds.sizes.items()}
    added: dict[str, xr.Variable] = {}
    for array in (a for a in table.values() if a.name not in ds.variables):
        shape: list[Any] = [sizes.get(d) for d in array.dims]
        nothing = any(d in OPTIONAL_AXES and not sizes[d] for d in array.dims)
        if array.default is None and not (nothing and None not in shape):
            raise SchemaError(f"{array.name}: missing; it must have dimensions {array.dims} in [{array.unit}]")
        if None not in shape:
            whole = array.role == "axis" and array.unit == "1"  # positions on axes are whole numbers
            values = np.full(shape, array.default or 0.0, dtype=np.int64 if whole else float)
            added[array.name] = xr.Variable(array.dims, values, attributes(array))
    return ds.assign(added) if added else ds


def _check_one(ds: xr.Dataset, array: Array) -> None:
    found = ds.variables[array.name]
    if found.dims != array.dims:
        raise SchemaError(f"{array.name}: dimensions {found.dims}; allowed: {array.dims}")
    values = np.asarray(found.values, dtype=float)
    # Infinite ends stand for "any finite value": NaN and inf fail both comparisons or the finite test.
    good = np.isfinite(values) & (values >= array.low) & (values <= array.high)
    if not good.all():
        at = tuple(int(i) for i in np.argwhere(~good)[0])
        where = ", ".join(f"{d}={_label(ds, d, i)}" for d, i in zip(found.dims, at, strict=True))
        raise SchemaError(
            f"{array.name}[{where}] = {values[at]:g} [{array.unit}]; "
            f"allowed: {array.low:g} … {array.high:g}, finite ({array.meaning})"
        )


def _label(ds: xr.Dataset, dim: object, i: int) -> str:
    if dim not in ds.coords:
        return str(i)
    value = ds.coords[dim].values[i]
    return f"{np.datetime_as_string(value, unit='m')}Z" if np.issubdtype(value.dtype, np.datetime64) else str(value)


def _check_time(ds: xr.Dataset) -> xr.Dataset:
    """`time` rises strictly and, where dt is given, each period starts where the one before it ends."""
    if "time" not in ds.coords:
        return ds
    step = np.diff(ds["time"].values).astype("timedelta64[s]").astype(float) / 3600
    back = ~(step > 0)
    if back.any():
        raise SchemaError(f"time: not rising after {_label(ds, 'time', int(np.argmax(back)))}")
    if "dt" in ds:
        bad = ~(np.abs(step - ds["dt"].values[:-1]) <= 1 / 7200)  # half a second: below any market time unit
        if bad.any():
            raise SchemaError(f"dt: period at {_label(ds, 'time', int(np.argmax(bad)))} does not end at the next start")
    return ds


def _check_classes(ds: xr.Dataset) -> xr.Dataset:
    """Speed classes of a group are counted from the fastest; a class that is not used (0) may lie between."""
    if "speed" not in ds:
        return ds
    for k, row in enumerate(ds["speed"].values):
        used = row[row > 0]
        if not (np.diff(used) <= 0).all():
            raise SchemaError(
                f"speed[group={_label(ds, 'group', k)}]: {used}; allowed: speed classes with the fastest first"
            )
    return ds


def attributes(array: Array) -> dict[str, object]:
    """CF-1.11 attributes of an array: units, long_name, and flags for qualities."""
    attrs: dict[str, object] = {"units": array.unit, "long_name": array.meaning}
    if array.name.endswith("_quality"):
        attrs |= {"flag_values": np.arange(len(QUALITY), dtype=np.int8), "flag_meanings": " ".join(QUALITY)}
    return attrs


def dataset(arrays: Mapping[str, object], coords: Mapping[str, object], table: dict[str, Array]) -> xr.Dataset:
    """Assemble plain arrays into a checked, described Dataset; dimensions come from `table`."""
    data = {k: (table[k].dims, np.asarray(values), attributes(table[k])) for k, values in arrays.items()}
    labels = {name: np.asarray(values) for name, values in coords.items()}
    labels = {name: x if x.size else x.astype(str) for name, x in labels.items()}  # an axis without labels keeps text
    return check(xr.Dataset(data, coords=labels, attrs={"Conventions": "CF-1.11"}), table)


def values_of(ds: xr.Dataset) -> dict[str, Any]:
    """Plain arrays by name, not copied; asking a Dataset for each would build all its axes every time."""
    return {str(name): ds.variables[name].values for name in ds.data_vars}


def markdown() -> str:
    """The tables as Markdown, for ``docs/arrays.md``."""
    lines = [
        "# Arrays", "", "Generated by `energy formulation --arrays`; the source is `energy/schema/arrays.py`.",
        "", "An array that a file lacks has its default everywhere. `none`: nothing, where the fleet has none of its first "
        "axis (charges, contracts, caps ...); else it is required. `part` is the file of `energy/program/` that owns it.",
    ]  # fmt: skip
    for title, table in TABLES.items():
        lines += ["", f"## {title}.nc", "", "| name | dimensions | unit | range | default | part | role | meaning |"]
        lines.append("|---|---|---|---|---|---|---|---|")
        for a in table.values():
            without = "none" if OPTIONAL_AXES & set(a.dims) else "required"
            default = without if a.default is None else f"{a.default:g}"
            lines.append(f"| `{a.name}` | {', '.join(a.dims)} | {a.unit} | {a.low:g} … {a.high:g} | {default} | {a.part} | {a.role} "
                         f"| {a.meaning} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def as_schedule(
    problem: xr.Dataset, job: Floats, pool: Floats, time: Floats, gpus: Floats, *,
    setpoints: Mapping[str, Floats] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Entries (shape (E,) each) on the Problem's axes, as a checked Schedule.

    Parameters
    ----------
    setpoints : active power by device [MW], (T,) each; a device that is not named does as it can
    """
    arrays: dict[str, object] = {
        "dt": problem["dt"].values, "entry_gpus": gpus.astype(float),
        **{f"entry_{k}": v.astype(np.int64) for k, v in (("job", job), ("pool", pool), ("time", time))},
    }  # fmt: skip
    coords: dict[str, object] = {name: problem[name].values for name in ("time", "job", "pool")}
    if setpoints:
        arrays["setpoint"], coords["device"] = np.array(list(setpoints.values())), list(setpoints)
    return dataset(arrays, coords, SCHEDULE)
