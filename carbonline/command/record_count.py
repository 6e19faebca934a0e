"""Estimates the number of rows of a file before it is sent."""

import gzip
import zlib
from io import BufferedIOBase
from pathlib import Path

CHUNK_BYTES = 1 << 20
# No server takes more, and a small gzip could go on for ever.
COUNTED_BYTES_MAX = 2 << 30
_GZIP = b"\x1f\x8b"
# Workbooks and zip archives, whose rows only the worker sees.
_PACKED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def count_records(file: Path) -> int | None:
    """Number of line ends outside quotes, without the header. Reads gzip, too. None if unknown.

    It is unknown for a workbook. Blank lines and rows that will be rejected count, so the number
    may be too high, but never too low.
    """
    try:
        with file.open("rb") as plain:
            head = plain.read(4)
        if head in _PACKED:
            return None
        is_gzip = head.startswith(_GZIP)
        with gzip.open(file) if is_gzip else file.open("rb") as stream:
            return _count(stream)
    except (OSError, EOFError, zlib.error):
        # Whoever reads it in earnest says what is wrong with it.
        return None


def _count(stream: BufferedIOBase) -> int | None:
    quoted, line_feeds, returns, seen, last = False, 0, 0, 0, b""
    while chunk := stream.read(CHUNK_BYTES):
        seen += len(chunk)
        if seen > COUNTED_BYTES_MAX:
            return None
        for number, part in enumerate(chunk.split(b'"')):
            quoted ^= number > 0
            if not quoted:
                line_feeds += part.count(b"\n")
                returns += part.count(b"\r")
        last = chunk[-1:]
    ends = line_feeds or returns
    unended = last not in (b"", b"\n", b"\r")
    return max(0, ends + unended - 1)
