"""Opens a file of any known kind as text: workbooks and zip archives are extracted first."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import IO, Any

from worker_service.carbon.csv_source.byte_stream import ByteStream, Open, Rejoined, read_full
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.workbooks.memory import memory_bytes_max, needs_more
from worker_service.carbon.workbooks.room import room_for_text
from worker_service.carbon.workbooks.sheets import Table

# Beyond it a workbook has more than a million rows, or is not a table.
ARCHIVE_BYTES_MAX = 512 << 20
# A million rows take some ten seconds.
EXTRACTION_SECONDS_MAX = 120
# A workbook of so many bytes takes little memory, and waits for no other.
SMALL_BYTES = 1 << 20
# One large workbook at a time: what a process may take is enough for one.
_LARGE = threading.Lock()
_HEAD_BYTES = 4
_PIECE_BYTES = 1 << 20
_EXTRACTED = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_EXTRACTION = (sys.executable, "-P", "-m", "worker_service.carbon.workbooks.extraction")


def _keep_nothing_open() -> None:
    pass


@dataclass(frozen=True, slots=True)
class OfSheet:
    """Opens a workbook of which the sheet of this name is to be read."""

    open_file: Open
    sheet: str

    def __call__(self) -> ByteStream:
        """Opens the file."""
        return self.open_file()


def sheet_named(open_file: Open) -> str:
    """The sheet that is to be read; "" if nobody has named one."""
    return open_file.sheet if isinstance(open_file, OfSheet) else ""


@dataclass(frozen=True, slots=True)
class Guess:
    """The sheet of a workbook, and the line from 1, where a table seems to be whose columns have
    other names than those that were looked for. "" and 0 for what is not guessed.
    """

    sheet: str = ""
    header_line: int = 0


NO_GUESS = Guess()


@dataclass(frozen=True, slots=True)
class TextOf:
    """A file as text, which can be opened several times until it is closed.

    `sentence` says what of a workbook was not read, without a full stop. "" for nothing.
    `is_of_cells`: each value was a cell of its own. `guess`: where in a workbook the table seems to
    be.
    """

    open: Open
    sentence: str = ""
    close: Callable[[], None] = _keep_nothing_open
    is_of_cells: bool = False
    guess: Guess = NO_GUESS


def text_of(
    open_file: Open, table: Table, bytes_max: int, with_comma: Sequence[str] = ()
) -> TextOf:
    """The text of a CSV file, or of the table in a workbook or archive. Blocks.

    `with_comma`: the file's names of columns in which a workbook's numbers are written with a
    decimal comma, as the texts beside them are.

    A workbook is extracted by a process of its own into a temporary file that has no name, so that
    nothing of it stays, whoever is killed. Raises RefusedFile if it cannot be read, and
    NoRoomForText if there is no room for temporary files.
    """
    sheet = sheet_named(open_file)
    source = open_file()
    with ExitStack() as opened:
        opened.callback(source.close)
        head = read_full(source, _HEAD_BYTES)
        if head in _EXTRACTED:
            with room_for_text(), tempfile.TemporaryFile() as archive:
                _copy(head, source, archive)
                request = {
                    "required": list(table.required),
                    "optional": list(table.optional),
                    "header_line": table.said_line,
                    "sheet": sheet,
                    "bytes_max": bytes_max,
                    "with_comma": list(with_comma),
                    "may_guess": table.may_guess,
                    "seconds": EXTRACTION_SECONDS_MAX,
                    "memory_bytes": memory_bytes_max(),
                }
                is_large = os.fstat(archive.fileno()).st_size > SMALL_BYTES
                with _LARGE if is_large else nullcontext():
                    return _extracted(archive, request)
        if sheet:
            raise RefusedFile(
                Cause.NO_SHEET,
                "this file is not a workbook and has no sheets: leave out the name",
            )
        opened.pop_all()
    return TextOf(_FirstReadAhead(Rejoined(head, source), open_file), close=source.close)


class _FirstReadAhead:
    """Opens a file that is open already, and then anew."""

    def __init__(self, first: ByteStream, open_file: Open) -> None:
        self._first: ByteStream | None = first
        self._open_file = open_file

    def __call__(self) -> ByteStream:
        first, self._first = self._first, None
        return self._open_file() if first is None else first


def _copy(head: bytes, source: ByteStream, archive: IO[bytes]) -> None:
    copied, piece = 0, head
    while piece:
        copied += len(piece)
        if copied > ARCHIVE_BYTES_MAX:
            raise RefusedFile(
                Cause.TOO_LARGE,
                f"the workbook or archive is larger than {ARCHIVE_BYTES_MAX:,} bytes:"
                " save the table as CSV",
            )
        archive.write(piece)
        piece = source.read(_PIECE_BYTES)
    archive.seek(0)


def _extracted(archive: IO[bytes], request: Mapping[str, Any]) -> TextOf:
    # It stays open for as long as the text is read.
    target = tempfile.TemporaryFile()  # noqa: SIM115
    try:
        answer = _asked(archive, target, request)
        sentence = _sentence(answer)
    except BaseException:
        target.close()
        raise
    return TextOf(
        lambda: _FromStart(target),
        sentence,
        target.close,
        is_of_cells=answer.get("is_of_cells", False),
        guess=Guess(answer.get("sheet", ""), answer.get("header_line", 0)),
    )


def _sentence(answer: Mapping[str, Any]) -> str:
    if "errno" in answer:
        raise OSError(answer["errno"], os.strerror(answer["errno"]))
    if "cause" in answer:
        raise RefusedFile(Cause(answer["cause"]), answer["message"], missing=answer["missing"])
    return str(answer["sentence"])


def _asked(archive: IO[bytes], target: IO[bytes], request: Mapping[str, Any]) -> Mapping[str, Any]:
    files = {"source": archive.fileno(), "target": target.fileno()}
    try:
        done = subprocess.run(
            _EXTRACTION,
            input=json.dumps({**request, **files}).encode(),
            capture_output=True,
            pass_fds=(archive.fileno(), target.fileno()),
            timeout=EXTRACTION_SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise RefusedFile(
            Cause.TOO_LARGE,
            f"the workbook could not be read within {EXTRACTION_SECONDS_MAX:,} seconds:"
            " save the table as CSV",
        ) from late
    # The reader aborts where it finds no memory; Python says it.
    if done.returncode == -signal.SIGABRT:
        raise needs_more(request["memory_bytes"])
    if done.returncode != 0:
        raise RefusedFile(
            Cause.DAMAGED_ARCHIVE,
            "the workbook or archive cannot be read: it is damaged or too large; save the table"
            " as CSV",
        )
    answer: Mapping[str, Any] = json.loads(done.stdout)
    if "out_of_memory" in answer:
        raise needs_more(request["memory_bytes"])
    return answer


class _FromStart:
    """The temporary file from its beginning, by a position of its own."""

    def __init__(self, file: IO[bytes]) -> None:
        self._descriptor = file.fileno()
        self._at = 0

    def read(self, size: int, /) -> bytes:
        piece = os.pread(self._descriptor, size, self._at)
        self._at += len(piece)
        return piece

    def close(self) -> None:
        """The file is closed by TextOf."""
