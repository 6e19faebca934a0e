"""A first pass over the whole file: its encoding, and whether it can be a text file at all."""

import codecs
from contextlib import closing
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
_NOT_IN_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True, slots=True)
class Survey:
    """`line_count` counts line ends: LF, CRLF or CR, as `Lines` does."""

    encoding: str
    line_count: int
    byte_count: int


def survey(open_file: Open, bytes_max: int = FILE_BYTES_MAX) -> Survey:
    """Reads everything once; RefusedFile as soon as something is wrong.

    UTF-8 if all of it is valid UTF-8, else code page 1252 if all of it is that.
    """
    with closing(PlainBytes(open_file(), bytes_max)) as stream:
        decoder, utf8, cp1252 = codecs.getincrementaldecoder("utf-8")(), True, True
        position, byte_count = _Position(), 0
        while piece := stream.read():
            if b"\0" in piece:
                raise RefusedFile(Cause.NOT_TEXT, _of_nul_bytes(piece, at_start=byte_count == 0))
            utf8 = utf8 and _decodes(decoder, piece)
            cp1252 = cp1252 and piece == piece.translate(None, _NOT_IN_CP1252)
            position.pass_over(piece)
            byte_count += len(piece)
        utf8 = utf8 and _decodes(decoder, b"", final=True)
    if byte_count == 0:
        raise RefusedFile(Cause.EMPTY, "the file is empty")
    if not utf8 and not cp1252:
        raise RefusedFile(Cause.ENCODING, "the file is neither UTF-8 nor Windows-1252 text")
    return Survey(UTF_8 if utf8 else WINDOWS_1252, position.line_ends, byte_count)


def _decodes(decoder: codecs.IncrementalDecoder, piece: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(piece, final)
    except UnicodeDecodeError:
        return False
    return True


class _Position:
    """How many lines have ended, and how long the open one is."""

    def __init__(self) -> None:
        self.line_ends = 0
        self._open_bytes = 0
        self._after_carriage_return = False

    def pass_over(self, piece: bytes) -> None:
        """RefusedFile for a line over the limit; only a piece's first can be, pieces are short."""
        assert READ_BYTES < LINE_BYTES_MAX
        first, last = _line_ends(piece)
        longest = self._open_bytes + (len(piece) if first < 0 else first)
        if longest > LINE_BYTES_MAX:
            raise RefusedFile(Cause.LINE_TOO_LONG, too_long(f"line {self.line_ends + 1:,}"))
        self._open_bytes = longest if first < 0 else len(piece) - last - 1
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


def _of_nul_bytes(piece: bytes, *, at_start: bool) -> str:
    said = "the file contains NUL bytes: "
    head = piece[:_UTF16_HEAD_BYTES]
    if at_start and any(head[odd::2] and not any(head[odd::2]) for odd in (0, 1)):
        return said + "it may be UTF-16 text; save it as CSV in UTF-8"
    return said + "it is not a CSV in text form"


def too_long(where: str) -> str:
    """The sentence for a line or a quoted row over the limit."""
    return (
        f"{where} is longer than {LINE_BYTES_MAX:,} bytes:"
        " this is no CSV of rows, or a quote was opened and never closed"
    )
