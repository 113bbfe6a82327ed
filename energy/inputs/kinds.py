"""Families of kinds, such as tariff components: a file chooses with `kind:`, a class says all there is to know of one.

A family is an abstract class whose methods and class attributes are what the program, the bill, the state and the
report ask. A kind is a subclass that has them all; one that lacks any is refused when it is defined.
"""

from abc import ABC
from functools import reduce
from operator import or_
from typing import Annotated, Any, ClassVar, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from energy.inputs.yaml_files import KINDS, Frozen
from energy.schema.invoice import LineKind


class Kind(Frozen, ABC):
    """Base of the families; a direct subclass is a family, a subclass of that a kind of it.

    A kind has a field ``kind: Literal[name]``, no abstract method left, and a value for each class attribute that its
    family declares.
    """

    #: Kinds of the family by name; each enters as it is defined.
    kinds: ClassVar[dict[str, type[Any]]]
    #: Kind of the invoice lines.
    line_kind: ClassVar[LineKind]

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        if Kind in cls.__bases__:
            cls.kinds = {}
            return
        name = cls.kind_name()
        missing = sorted({*cls.__abstractmethods__, *(n for n in cls.__class_vars__ if not hasattr(cls, n))})
        if missing:
            raise TypeError(f"kind {name} ({cls.__name__}) lacks {', '.join(missing)}")
        if name in cls.kinds:
            raise TypeError(f"kind {name} is defined twice: {cls.kinds[name].__name__} and {cls.__name__}")
        cls.kinds[name] = cls
        KINDS.add(name)

    @classmethod
    def kind_name(cls) -> str:
        """Name by which a file chooses it."""
        names = get_args(cls.model_fields["kind"].annotation) if "kind" in cls.model_fields else ()
        if len(names) != 1:
            raise TypeError(f"{cls.__name__} lacks kind: Literal[name]")
        return str(names[0])


class AnyOf:
    """Annotation of a field that holds any kind of a family, as the file's `kind` says."""

    def __init__(self, family: type[Kind]) -> None:
        self.family = family

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Schema of the union of the kinds defined by now."""
        union = reduce(or_, self.family.kinds.values())
        return handler.generate_schema(Annotated[union, Field(discriminator="kind")])
