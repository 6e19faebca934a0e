"""Whole lines of a file as UTF-8, newlines made alike, a block at a time."""

from worker_service.carbon.csv_source.byte_stream import PlainBytes

BLOCK_ROWS = 12_500
BLOCK_BYTES = 2 << 20
_BOM = b"\xef\xbb\xbf"


class Lines:
    """Every line ends with LF: those that ended with CRLF or CR too, and the last."""

    def __init__(self, stream: PlainBytes, encoding: str) -> None:
        self._stream = stream
        self._encoding = encoding
        self._kept = b""
        self._carriage_return = b""
        self._ended = False
        self._ends_with_newline = True
        while not self._ended and len(self._kept) < len(_BOM):
            self._kept += self._next()
        self._kept = self._kept.removeprefix(_BOM)

    def block(self) -> bytes:
        """About BLOCK_ROWS lines, fewer if they are long; empty at the end."""
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

    def give_back(self, text: bytes) -> None:
        """Puts whole lines before what comes next."""
        self._kept = text + self._kept

    def _next(self) -> bytes:
        piece = self._stream.read()
        if not piece:
            self._ended = True
            # A file may end without a newline; one more makes a blank line at worst.
            tail, self._carriage_return = self._carriage_return, b""
            return b"\n" if tail or not self._ends_with_newline else b""
        piece = self._carriage_return + piece
        self._carriage_return = b""
        if b"\r" in piece:
            # A \r at the end may be half of a line end.
            if piece.endswith(b"\r"):
                piece, self._carriage_return = piece[:-1], b"\r"
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if self._encoding != "utf-8":
            piece = piece.decode(self._encoding).encode()
        self._ends_with_newline = piece.endswith(b"\n") and not self._carriage_return
        return piece
