"""The kinds of tariff components, one idea a file.

A file that is put here is read: a kind is complete in its own file, and nothing lists it elsewhere.
"""

from importlib import import_module
from pkgutil import iter_modules

from energy.inputs.components.protocol import AnyComponent, Component, Confidence, RollOver, StateNames, blended
from energy.schema.invoice import LINE_KINDS

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
#: In the order of an invoice.
Component.kinds = dict(sorted(Component.kinds.items(), key=lambda item: LINE_KINDS.index(item[1].line_kind)))

__all__ = ["AnyComponent", "Component", "Confidence", "RollOver", "StateNames", "blended"]
