"""Reads whole lines of a file in blocks: as UTF-8, each ended by LF."""

from worker_service.carbon.csv_source.byte_stream import PlainBytes

BLOCK_ROWS = 12_500
BLOCK_BYTES = 2 << 20
_BOM = b"\xef\xbb\xbf"
# Bytes at the start in which marks of byte order are looked for.
_HEAD_BYTES = 30
# Old programs end a text with it, and a line end or a few after it at most.
_END_OF_TEXT = b"\x1a"
_HELD_BYTES_MAX = 16


class Lines:
    """The lines of a file. Each ends with LF, whether it ended with CRLF, CR or not at all."""

    def __init__(self, stream: PlainBytes, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._held = b""
        self._ended = False
        self._ends_with_newline = True
        self._kept = self._made_alike(self._head())

    def _head(self) -> bytes:
        head = b""
        while len(head) < _HEAD_BYTES and (piece := self._stream.read()):
            head += piece
        # Files that were put together from others bring several.
        while head.startswith(_BOM):
            head = head.removeprefix(_BOM)
        return head

    def block(self) -> bytes:
        """Reads about BLOCK_ROWS lines, fewer if they are long; none at the end."""
        pieces, rows, size = [self._kept], self._kept.count(b"\n"), len(self._kept)
        while not self._ended and (rows == 0 or (rows < BLOCK_ROWS and size < BLOCK_BYTES)):
            piece = self._next()
            pieces.append(piece)
            rows += piece.count(b"\n")
            size += len(piece)
        text = b"".join(pieces)
        cut = text.rfind(b"\n") + 1
        self._kept = text[cut:]
        return text[:cut]

    def put_back(self, text: bytes) -> None:
        """Returns whole lines, which the next block begins with."""
        self._kept = text + self._kept

    def _next(self) -> bytes:
        piece = self._stream.read()
        if piece:
            return self._made_alike(piece)
        self._ended = True
        held, self._held = self._held, b""
        # A file may end without a newline; one more makes a blank line at worst.
        return b"\n" if held or not self._ends_with_newline else b""

    def _made_alike(self, piece: bytes) -> bytes:
        piece = self._held + piece
        self._held = _undecided(piece)
        piece = piece[: len(piece) - len(self._held)]
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._encoding != "utf-8":
            piece = piece.decode(self._encoding).encode()
        if piece:
            self._ends_with_newline = piece.endswith(b"\n")
        return piece


def _undecided(piece: bytes) -> bytes:
    """What means something else at the end of the file, or before a newline, than elsewhere."""
    tail = piece[len(piece.rstrip(b"\r\n" + _END_OF_TEXT)) :]
    at = tail.find(_END_OF_TEXT)
    if at >= 0 and len(tail) - at <= _HELD_BYTES_MAX:
        return tail[at:]
    return b"\r" if piece.endswith(b"\r") else b""
