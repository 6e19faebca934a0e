"""Reads parts of the XML of a workbook piece by piece."""

import re
import zipfile
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NoReturn
from xml.parsers import expat

_PIECE_BYTES = 1 << 20
# More than a mark and what is behind it.
_TAIL_BYTES = 4096


def parse_part(
    archive: zipfile.ZipFile,
    path: str,
    start: Callable[[str, dict[str, str]], Any],
    end: Callable[[str], Any] | None = None,
    text: Callable[[str], Any] | None = None,
) -> None:
    """Calls these for the elements and texts of a part. Raises ExpatError, and ValueError for a
    part that declares a type, with which it might define texts that grow without end.
    """
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_type
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with archive.open(path) as stream:
        parser.ParseFile(stream)


def has_mark(archive: zipfile.ZipFile, path: str, mark: re.Pattern[bytes]) -> bool:
    """Whether the bytes of a part have a mark, which costs less than to parse them."""
    tail = b""
    with archive.open(path) as stream:
        while piece := stream.read(_PIECE_BYTES):
            piece = tail + piece
            found = mark.search(piece)
            if found and found.start() < len(piece) - _TAIL_BYTES:
                return True
            tail = piece[-_TAIL_BYTES:]
    return mark.search(tail) is not None


# A document has a few dozen names, and uses them millions of times.
@lru_cache(maxsize=1024)
def local_name(name: str) -> str:
    """A name without the prefix of its namespace."""
    return name.rpartition(":")[2]


def _refuse_type(*_: object) -> NoReturn:
    raise ValueError("its XML declares a document type")
