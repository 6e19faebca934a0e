"""Reads an uploaded file as plain bytes: decompressed, and of bounded size."""

import gzip
import zlib
from collections.abc import Callable
from typing import Any, Protocol, cast

from worker_service.carbon.csv_source.refusal import Cause, RefusedFile

# Per file, after gzip: small enough that an archive made to expand ends within seconds.
FILE_BYTES_MAX = 2 << 30
READ_BYTES = 256 << 10
# Text is seldom a hundred times as large as its archive; a bomb is a thousand times.
RATIO_MAX = 400
# Archives of few bytes may have any ratio.
SMALL_BYTES = 8 << 20

_GZIP_MAGIC = b"\x1f\x8b"
_KNOWN_FORMATS = {
    # Those that stand by themselves have been extracted before.
    b"PK\x03\x04": "a workbook or archive in another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook in an archive",
    b"%PDF": "a PDF document",
    # Before that of UTF-16, with which it begins.
    b"\xff\xfe\0\0": "UTF-32 text",
    b"\0\0\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PAR1": "a Parquet file",
    b"SQLite": "a database",
    b"{\\rtf": "a rich text document",
}
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")
_ARCHIVES = {
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    **{b"BZh%d1AY&" % level: "a bzip2 archive" for level in range(1, 10)},
}
# Web programs call them .xls: spreadsheets open them. Of any case, behind marks and white space.
_MARKUP = (b"<html", b"<!doc", b"<?xml", b"<tabl", b"<head", b"<meta", b"<styl")
_JSON = (b'{"', b"[{")


class ByteStream(Protocol):
    """An open blob."""

    def read(self, size: int, /) -> bytes:
        """Reads at most `size` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Closes the blob."""
        ...


# The file is read twice, so it must be possible to open it twice.
Open = Callable[[], ByteStream]


class PlainBytes:
    """Reads a file without its gzip compression.

    Raises RefusedFile if it is damaged, too large or not text. Beyond `small_bytes` it may be
    RATIO_MAX times as large as what was read of its archive.
    """

    def __init__(
        self,
        source: ByteStream,
        bytes_max: int = FILE_BYTES_MAX,
        small_bytes: int = SMALL_BYTES,
    ) -> None:
        self._source = source
        self._bytes_max = bytes_max
        self._small_bytes = small_bytes
        self._bytes_read = 0
        self._packed = _Counted(source)
        try:
            self._rest = _opened(self._packed)
        except BaseException:
            # The caller has no object yet that it could close.
            source.close()
            raise

    def read(self) -> bytes:
        """Reads the next piece of at most READ_BYTES; none at the end."""
        piece = _inflate(self._rest, READ_BYTES)
        self._bytes_read += len(piece)
        if self._bytes_read > self._bytes_max:
            raise RefusedFile(
                Cause.TOO_LARGE, f"the file holds more than {self._bytes_max:,} bytes of text"
            )
        if self._bytes_read > max(self._small_bytes, self._packed.bytes_read * RATIO_MAX):
            raise RefusedFile(Cause.TOO_LARGE, too_large_unpacked())
        return piece

    def close(self) -> None:
        """Closes the source."""
        self._source.close()


def too_large_unpacked() -> str:
    """The sentence for an archive beyond RATIO_MAX."""
    return (
        f"the file is more than {RATIO_MAX} times as large when it is unpacked:"
        " save the table as CSV"
    )


class _Counted:
    """Counts the bytes that are read of a stream."""

    def __init__(self, source: ByteStream) -> None:
        self._source = source
        self.bytes_read = 0

    def read(self, size: int, /) -> bytes:
        piece = self._source.read(size)
        self.bytes_read += len(piece)
        return piece

    def close(self) -> None:
        """Closes the stream."""
        self._source.close()


def _opened(source: ByteStream) -> ByteStream:
    head = read_full(source, 8)
    _refuse_known_formats(head)
    rest: ByteStream = Rejoined(head, source)
    if head.startswith(_GZIP_MAGIC):
        # Reading forward never seeks, whatever the stubs ask of a file object.
        rest = cast("ByteStream", gzip.GzipFile(fileobj=cast("Any", rest), mode="rb"))
        inner = _inflate(rest, 8)
        _refuse_known_formats(inner)
        rest = Rejoined(inner, rest)
    return rest


class Rejoined:
    """A stream of bytes that were read ahead, and then the rest."""

    def __init__(self, head: bytes, rest: ByteStream) -> None:
        """`head` was read from `rest` before."""
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        """Reads at most `size` bytes; none at the end."""
        if not self._head:
            return self._rest.read(size)
        piece, self._head = self._head[:size], self._head[size:]
        return piece

    def close(self) -> None:
        """Closes the rest."""
        self._rest.close()


def read_full(source: ByteStream, size: int) -> bytes:
    """Reads `size` bytes, or all there are."""
    head = b""
    while len(head) < size and (piece := source.read(size - len(head))):
        head += piece
    return head


def _inflate(stream: ByteStream, size: int) -> bytes:
    try:
        return stream.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RefusedFile(
            Cause.DAMAGED_GZIP, f"the gzip file is damaged or cut off: {error}"
        ) from error


def _refuse_known_formats(head: bytes) -> None:
    for magic, name in _KNOWN_FORMATS.items():
        if head.startswith(magic):
            raise RefusedFile(Cause.NOT_TEXT, f"this is {name}; save it as CSV in UTF-8")
    if head.startswith(_PICTURES):
        raise RefusedFile(Cause.NOT_TEXT, "this is a picture; a workbook or a CSV is needed")
    for magic, name in _ARCHIVES.items():
        if head.startswith(magic):
            raise RefusedFile(
                Cause.NOT_TEXT, f"this is {name}; unpack it and send its file, or pack it as .zip"
            )
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begins.startswith(_MARKUP):
        raise RefusedFile(
            Cause.NOT_TEXT,
            "this is a web page or XML, whatever its name says; open it in a spreadsheet and save"
            " it as CSV in UTF-8",
        )
    if begins.startswith(_JSON):
        raise RefusedFile(Cause.NOT_TEXT, "this is JSON; a CSV in UTF-8 is needed")
