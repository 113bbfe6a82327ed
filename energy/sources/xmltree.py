"""XML into a tree by expat, set up to refuse what attacks need.

No document we read has a document type declaration, and entities can only be declared inside one; so the
first ``<!DOCTYPE`` ends the parse, before any entity exists (billion laughs, quadratic blow-up, external
entities). That is what defusedxml's ``forbid_dtd`` does, in one handler and without the pure-Python parser
that it needs; the size of a body is limited before it gets here, its depth here.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

#: ENTSO-E's documents are six levels deep.
MOST_LEVELS = 32


def parse_xml(body: bytes) -> Element:
    """The root element; names without namespaces, since ENTSO-E puts a version into those.

    Raises
    ------
    ValueError : not well-formed, a document type declaration, or nested deeper than MOST_LEVELS.
    """
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_LEVELS:
            raise ValueError(f"XML nested deeper than {MOST_LEVELS} levels")
        builder.start(name.rpartition(" ")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name.rpartition(" ")[2])

    def refuse(*_: object) -> None:
        raise ValueError("XML with a document type declaration")

    parser = ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except ExpatError as e:
        raise ValueError(f"not well-formed XML: {e}") from None
    return builder.close()


def text(element: Element, path: str) -> str:
    """Text of the one element at a path.

    Raises
    ------
    ValueError : it is not there.
    """
    found = element.findtext(path)
    if found is None:
        raise ValueError(f"<{element.tag}> has no <{path}>")
    return found.strip()
