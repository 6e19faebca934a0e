"""Files that are hardly more than line ends or commas end soon, and say why."""

import gzip
import io
import time

import pytest

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.reading import read_text
from worker_service.carbon.csv_source.refusal import BLANK_ROWS_MAX, Cause, RefusedFile

MEGABYTE = 1 << 20


class Counted(io.BytesIO):
    """Counts the bytes that are read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.bytes_read += len(piece)
        return piece


def rows_of(open_file: Open) -> int:
    return sum(batch.frame.height for batch in read_text(open_file, ["a"], ["b", "c"]).batches)


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("head", [b"", b"a,b,c\n"])
def test_line_ends_without_number_are_refused_before_they_are_read_to_the_end(
    line_end: bytes, head: bytes
) -> None:
    source = Counted(head + line_end * (24 * MEGABYTE // len(line_end)))
    with pytest.raises(RefusedFile, match="more than 2,000,000 blank rows: remove them") as refused:
        rows_of(lambda: source)
    assert refused.value.cause is Cause.TOO_LARGE
    assert source.bytes_read < 10 * MEGABYTE


@pytest.mark.parametrize("row", [",,\n", " \n"])
def test_so_are_rows_without_a_value(row: str) -> None:
    content = gzip.compress(("a,b,c\n" + row * (BLANK_ROWS_MAX + 50_000)).encode(), 1)
    with pytest.raises(RefusedFile, match="more than 2,000,000 blank rows"):
        rows_of(opening(content))


def test_the_blank_rows_of_a_whole_sheet_are_no_fault() -> None:
    assert rows_of(opening(b"a,b,c\n1,2,3\n" + b",,\n" * MEGABYTE)) == 1


def test_commas_take_about_as_long_as_other_bytes() -> None:
    def seconds(line: bytes) -> float:
        content = b"a,b,c\n1,2,3\n" + line * (8 * MEGABYTE // len(line))
        began = time.process_time()
        rows_of(opening(content))
        return time.process_time() - began

    ordinary = seconds(b"0828,a value of some length,another one of the kind\n")
    assert seconds(b"," * (MEGABYTE - 1) + b"\n") < 20 * ordinary
