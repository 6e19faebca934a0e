"""Reads a file once to find its encoding, and to check that it is text."""

import codecs
import re
from contextlib import closing
from copy import copy
from dataclasses import dataclass

from worker_service.carbon.csv_source.byte_stream import (
    FILE_BYTES_MAX,
    READ_BYTES,
    Open,
    PlainBytes,
)
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile

UTF_8, WINDOWS_1252 = "utf-8", "windows-1252"
LINE_BYTES_MAX = 1 << 20
# In UTF-16 every second byte of Latin letters is NUL.
_UTF16_HEAD_BYTES = 16
# Bytes that code page 1252 gives no character to.
_NOT_IN_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class FileEncoding:
    """What a file is read as: "utf-8" or "windows-1252".

    `not_utf8`: where its first letter is that is not UTF-8, in words. "" if all are. `extraction`:
    what of a workbook was not read, in words. "" for nothing.
    """

    name: str
    not_utf8: str = ""
    extraction: str = ""

    @property
    def sentence(self) -> str:
        """What to know of how the file was read, without a full stop. "" for UTF-8 read whole."""
        if not self.not_utf8:
            return self.extraction
        where = f"see {self.not_utf8}"
        return f"it is not UTF-8 and was read as Windows-1252, {where}: save it as CSV UTF-8"


@dataclass(frozen=True, slots=True)
class Survey:
    """The encoding and the size of a file. `line_count` counts line ends: LF, CRLF or CR."""

    encoding: FileEncoding
    line_count: int
    byte_count: int


def survey(open_file: Open, bytes_max: int = FILE_BYTES_MAX) -> Survey:
    """Reads the whole file. Raises RefusedFile if it is not text or has too long lines.

    The encoding is UTF-8 if the file is valid UTF-8, else Windows-1252 if it is valid in that.
    """
    with closing(PlainBytes(open_file(), bytes_max)) as stream:
        decoder, not_utf8, not_cp1252 = codecs.getincrementaldecoder("utf-8")(), "", ""
        position, byte_count = _Position(), 0
        while piece := stream.read():
            if (nul := piece.find(b"\0")) >= 0:
                at_start = byte_count == 0
                raise RefusedFile(
                    Cause.NOT_TEXT, _of_nul_bytes(piece, position.of(piece, nul), at_start=at_start)
                )
            if not not_utf8 and (wrong := _undecodable(decoder, piece)) is not None:
                not_utf8 = position.of(piece, wrong)
            if not not_cp1252 and (strange := _NOT_IN_CP1252.search(piece)):
                not_cp1252 = position.of(piece, strange.start())
            position.pass_over(piece)
            byte_count += len(piece)
        if not not_utf8 and _undecodable(decoder, b"", final=True) is not None:
            not_utf8 = "the end of the file"
    if byte_count == 0:
        raise RefusedFile(Cause.EMPTY, "the file is empty")
    if not_utf8 and not_cp1252:
        raise RefusedFile(Cause.ENCODING, _of_encodings(not_utf8, not_cp1252))
    encoding = FileEncoding(WINDOWS_1252 if not_utf8 else UTF_8, not_utf8)
    return Survey(encoding, position.line_ends, byte_count)


def _undecodable(
    decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False
) -> int | None:
    """Where in the piece a letter begins that is none in UTF-8; None for nowhere."""
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError as error:
        # The decoder keeps the bytes of a letter that a cut divides.
        return max(error.start - (len(error.object) - len(piece)), 0)
    return None


class _Position:
    """How many lines have ended, and how long the open one is."""

    def __init__(self) -> None:
        self.line_ends = 0
        self.open_bytes = 0
        self._after_carriage_return = False

    def of(self, piece: bytes, index: int) -> str:
        """The place of a byte of the piece that comes next, in words."""
        here = copy(self)
        here.pass_over(piece[:index])
        row = f"row {here.line_ends:,}" if here.line_ends else "the header"
        return f"line {here.line_ends + 1:,} ({row}), byte {here.open_bytes + 1:,}"

    def pass_over(self, piece: bytes) -> None:
        """RefusedFile for a line over the limit; only a piece's first can be, pieces are short."""
        assert READ_BYTES < LINE_BYTES_MAX
        first, last = _line_ends(piece)
        longest = self.open_bytes + (len(piece) if first < 0 else first)
        if longest > LINE_BYTES_MAX:
            raise RefusedFile(Cause.LINE_TOO_LONG, too_long(f"line {self.line_ends + 1:,}"))
        self.open_bytes = longest if first < 0 else len(piece) - last - 1
        self.line_ends += piece.count(b"\n")
        if b"\r" in piece:
            self.line_ends += piece.count(b"\r") - piece.count(b"\r\n")
        if self._after_carriage_return and piece.startswith(b"\n"):
            self.line_ends -= 1
        self._after_carriage_return = piece.endswith(b"\r")


def _line_ends(piece: bytes) -> tuple[int, int]:
    """Where the first and the last one are; -1 for none."""
    firsts = [at for at in (piece.find(b"\n"), piece.find(b"\r")) if at >= 0]
    return min(firsts, default=-1), max(piece.rfind(b"\n"), piece.rfind(b"\r"))


def _of_nul_bytes(piece: bytes, place: str, *, at_start: bool) -> str:
    head = piece[:_UTF16_HEAD_BYTES]
    if at_start and any(head[odd::2] and not any(head[odd::2]) for odd in (0, 1)):
        # In UTF-32 three of four are NUL.
        name = "UTF-32" if sum(not any(head[at::4]) for at in range(4)) == 3 else "UTF-16"
        return f"the file contains NUL bytes: it may be {name} text; save it as CSV in UTF-8"
    return f"the file contains NUL bytes, the first in {place}: it is not a CSV in text form"


def _of_encodings(not_utf8: str, not_cp1252: str) -> str:
    where = f"see {not_utf8}"
    if not_cp1252 != not_utf8:
        where += f", and {not_cp1252}"
    return f"the file is neither UTF-8 nor Windows-1252 text: {where}; save it as CSV UTF-8"


def too_long(where: str) -> str:
    """The sentence for a line or a quoted row over the limit."""
    return (
        f"{where} is longer than {LINE_BYTES_MAX:,} bytes:"
        " this is not a CSV file, or a quote is never closed"
    )
