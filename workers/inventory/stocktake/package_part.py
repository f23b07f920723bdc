"""One part of an .xlsx package, read by a streaming parser that counts as it goes: neither too much nor too deep.

Source: ECMA-376 part 1 (SpreadsheetML), 18.2 to 18.8. Drawings, links, themes and the like are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol, TypeVar
from xml.parsers import expat

from workers.inventory.stocktake.table import too_many_cells

MOST_SHEET_CELLS: Final = 500_000  # empty ones included: that many take a second
MOST_DEPTH: Final = 60

_MOST_TEXT: Final = 32_767 * 2  # characters of a cell, twice what Excel lets in
_MOST_TAG_BYTES: Final = 1 << 20
_CHUNK: Final = 1 << 16

_NAMESPACES: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Damaged(Exception):
    """The part is not what a workbook holds."""


class ByteSource(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


class Part:
    """Feeds a part to a parser, piece by piece; subclasses hear about elements. Raises Damaged."""

    most_elements = 150_000

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._elements = self._depth = self._length = 0
        self._text: list[str] = []

    def read(self, part: ByteSource) -> None:
        """All of it."""
        fed = 0
        try:
            while chunk := part.read(_CHUNK):
                self._parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - self._parser.CurrentByteIndex > _MOST_TAG_BYTES:
                    raise Damaged
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            raise Damaged from None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.count()

    def end(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1

    def count(self) -> None:
        """One element more: neither too many nor too deep."""
        self._elements += 1
        self._depth += 1
        if self._elements > self.most_elements or self._depth > MOST_DEPTH:
            raise self.excess()

    def excess(self) -> Exception:
        """What to say about it."""
        return Damaged() if self._depth > MOST_DEPTH else too_many_cells(MOST_SHEET_CELLS)

    def hear_text(self) -> None:
        """Keep the text from here on."""
        self._text, self._length = [], 0
        self._parser.CharacterDataHandler = self._hear

    def heard(self) -> str:
        """The text since then."""
        self._parser.CharacterDataHandler = None
        return "".join(self._text)

    def _hear(self, text: str) -> None:
        self._length += len(text)
        if self._length > _MOST_TEXT:
            raise Damaged
        self._text.append(text)

    def _doctype(self, *_: object) -> None:
        raise Damaged  # entities expand; no workbook has any


def count_marks(part: ByteSource) -> tuple[int, int]:
    """Tags and cells in the raw bytes, which costs a tenth of parsing them. Comments count, too."""
    marks = cells = 0
    while chunk := part.read(_CHUNK):
        marks += chunk.count(b"<")
        cells += chunk.count(b"<c ") + chunk.count(b"<c>")
    return marks, cells


H = TypeVar("H")


def named(handlers: Mapping[str, H]) -> dict[str, H]:
    """Handlers by the full names of elements of spreadsheets."""
    return {f"{namespace} {name}": handler for namespace in _NAMESPACES for name, handler in handlers.items()}


def local_name(name: str) -> str:
    """The element's name in the namespace of spreadsheets; "" in any other."""
    namespace, _, local = name.rpartition(" ")
    return local if namespace in _NAMESPACES else ""


def unescaped(text: str) -> str:
    """The text without the escapes of characters that XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
