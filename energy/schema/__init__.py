"""The one table of every array: name, dimensions, unit, valid range, meaning; and the check against it."""

import xarray as xr

from energy.schema.arrays import (
    COMPONENTS,
    OPTIONAL_AXES,
    PRICES,
    PROBLEM,
    QUALITY,
    REPLAY,
    SCHEDULE,
    SOLUTION,
    TABLES,
    TINY_MW,
    UNLIMITED_MW,
    Array,
    Bools,
    Flags,
    Floats,
    Ints,
    Times,
)
from energy.schema.marginal_price import lowest_price
from energy.schema.validate import SchemaError, as_schedule, attributes, check, dataset, markdown, values_of

__all__ = [
    "COMPONENTS", "OPTIONAL_AXES", "PRICES", "PROBLEM", "QUALITY", "REPLAY", "SCHEDULE", "SOLUTION", "TABLES", "TINY_MW", "UNLIMITED_MW",
    "Array", "Bools", "Flags", "Floats", "Ints", "SchemaError", "Times",
    "as_schedule", "attributes", "check", "dataset", "lowest_price", "markdown", "values_of",
]  # fmt: skip

# Here, because every room that handles Datasets imports this one: sums of series that do not share their hours raise,
# where xarray would quietly keep the hours they have in common.
xr.set_options(arithmetic_join="exact")  # type: ignore[no-untyped-call]
