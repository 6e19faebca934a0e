"""Files that are hardly more than line ends or commas end soon: those of commas say why."""

import gzip
import time

import polars as pl
import pytest

from tests.worker_service.carbon.plane_files import opening
from worker_service.carbon.csv_source import reading
from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.reading import read_text
from worker_service.carbon.csv_source.refusal import BLANK_ROWS_MAX, RefusedFile

MEGABYTE = 1 << 20


def rows_of(open_file: Open) -> int:
    return sum(batch.frame.height for batch in read_text(open_file, ["a"], ["b", "c"]).batches)


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_empty_lines_count_in_row_numbers_and_for_nothing_else(
    line_end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a part of a divided file, whose rows stand behind millions of another type."""
    monkeypatch.setattr(reading, "BLANK_ROWS_MAX", 3)
    empty = "\n" * MEGABYTE
    text = f'{empty}a,b,c\n1,,\n\n3,,,,wide\n{empty}\n"6","or\n\nmore",\n\n\n9,,\n\n'
    read = list(read_text(opening(text.replace("\n", line_end)), ["a"], ["b", "c"]).batches)
    rows = pl.concat(batch.frame.select("row_number", "a") for batch in read).rows()
    wide = [record.row for batch in read for record in batch.wide]
    more = len(empty)
    assert wide == [3]
    assert rows == [(1, "1"), (more + 5, "6"), (more + 8, "9")]


@pytest.mark.parametrize("row", [",,\n", " \n"])
def test_rows_without_a_value_are_refused_beyond_a_number(row: str) -> None:
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
