"""Recognises a file that `carbonline rejected` wrote, before it is sent."""

import gzip
import zlib
from pathlib import Path

# No header of a file that carbonline wrote is longer.
HEADER_BYTES_MAX = 1 << 16
_GZIP = b"\x1f\x8b"
_COLUMNS = (b"rejected_row", b"rejected_reason")


def is_mended(file: Path) -> bool:
    """Whether the header has a column that only files of rejected rows have. Reads gzip, too.

    False for a file that cannot be read: the upload reports that error.
    """
    try:
        with file.open("rb") as plain:
            is_gzip = plain.read(2) == _GZIP
        with gzip.open(file) if is_gzip else file.open("rb") as stream:
            beginning = stream.read(HEADER_BYTES_MAX)
    except (OSError, EOFError, zlib.error):
        return False
    # A spreadsheet may save it as UTF-16, or with a line before the header.
    lines = beginning.replace(b"\0", b"").lower().splitlines()[:3]
    return any(column in line for line in lines for column in _COLUMNS)
