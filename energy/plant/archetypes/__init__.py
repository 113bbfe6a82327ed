"""The archetypes of cooling plants, one file each: its numbers, its physics, the heat it can hand over.

A file that is put here is an archetype; `ARCHETYPES` has those that are defined.
"""

from importlib import import_module
from pkgutil import iter_modules

from energy.plant.parameters import ARCHETYPES

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["ARCHETYPES"]
