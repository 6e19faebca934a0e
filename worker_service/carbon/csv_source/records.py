"""Reads records from blocks of lines: by Polars if quotes are tidy, else by the csv module."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import polars as pl

from worker_service.carbon.csv_source.invisible import may_have_unseen
from worker_service.carbon.csv_source.lines import Lines
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.spreadsheet_text import may_have_marks
from worker_service.carbon.csv_source.survey import LINE_BYTES_MAX, too_long
from worker_service.carbon.csv_source.widths import (
    SURPLUS_MAX,
    WideRecord,
    fitted,
    fitted_frame,
    without_blank,
    without_the_widest,
)

# Control characters of which one that the block lacks marks the end of each line.
_MARKS = (b"\x01", b"\x02", b"\x03", b"\x04", b"\x05", b"\x06", b"\x07")
_FILLED_LINE = re.compile(rb"[^\n]+\n")


@dataclass(frozen=True, slots=True, eq=False)
class RawBatch:
    """A batch of records.

    `frame`: records of the header's width as text columns "0", "1", ... and row_number. Empty and
    missing fields are null or "". `wide`: records with values beyond the header's columns. Blank
    records are in neither, but count in row numbers. `read_rows` counts the records that were read
    one by one, blank ones too: all but empty lines. `next_row` is the number after the last one.
    `has_marks`: a field may begin with invisible characters, or with a mark for spreadsheets.
    `has_lines`: a field may hold several lines. `widths`: row_number and how many `fields` the
    rows have that have fewer or more than the header; None if there is no such row.
    """

    frame: pl.DataFrame
    wide: list[WideRecord]
    next_row: int
    read_rows: int
    has_marks: bool = True
    has_lines: bool = True
    widths: pl.DataFrame | None = None


def batches(lines: Lines, width: int, separator: str) -> Iterator[RawBatch]:
    """All records after the header. Row 1 is the first. Raises RefusedFile for open quotes."""
    row = 1
    while block := lines.block():
        filled = block.lstrip(b"\n")
        row += len(block) - len(filled)
        if not filled:
            continue
        batch = _between_empty_lines(filled, width, separator, row)
        if batch is None:
            batch = _by_polars(filled, width, separator, row)
        if batch is None:
            batch = _of_records(quoted_records(lines, filled, separator, row), width, row)
        row = batch.next_row
        yield batch


def _between_empty_lines(block: bytes, width: int, separator: str, row: int) -> RawBatch | None:
    """The block read without its empty lines, of which a part of a divided file may have millions:
    one for each row of another type. None if it has none, or its quotes are untidy.
    """
    if b"\n\n" not in block or (b'"' in block and not _tidy(block, separator)):
        return None
    # Line ends inside quotes end no record.
    outside = b'"'.join(
        part.replace(b"\n", b" ") if at % 2 else part for at, part in enumerate(block.split(b'"'))
    )
    filled, numbers, end = [], [], 0
    for line in _FILLED_LINE.finditer(outside):
        row += line.start() - end
        filled.append(block[line.start() : line.end()])
        numbers.append(row)
        row, end = row + 1, line.end()
    batch = _by_polars(b"".join(filled), width, separator, 0)
    if batch is None:
        return None
    row += len(outside) - end
    return _renumbered(batch, pl.Series("row_number", numbers, pl.Int32), row)


def _renumbered(batch: RawBatch, numbers: pl.Series, next_row: int) -> RawBatch:
    """The batch with the number of each row that it counts from 0."""
    numbered = pl.lit(numbers).gather(pl.col("row_number"))
    return replace(
        batch,
        frame=batch.frame.with_columns(row_number=numbered),
        wide=[replace(record, row=numbers[record.row]) for record in batch.wide],
        next_row=next_row,
        widths=None if batch.widths is None else batch.widths.with_columns(row_number=numbered),
    )


def quoted_records(
    lines: Lines, block: bytes, separator: str, first_row: int, records_max: int | None = None
) -> list[list[str]]:
    """The records of a block. The last one is completed from the lines that follow.

    As in the csv module, a quote opens only at the start of a field, after spaces at most.
    Elsewhere it is a plain character. Unused lines are put back into `lines`.
    """
    feed = _Feed(lines, block)
    records: list[list[str]] = []
    # The limit is the process' and not the reader's: set here, it holds whoever set another one
    # before. No field reaches it, since the feed bounds whole records.
    csv.field_size_limit(LINE_BYTES_MAX)
    reader = csv.reader(feed, delimiter=separator, skipinitialspace=True)
    try:
        for record in reader:
            records.append(record)
            feed.open_bytes = 0
            if feed.used_up or len(records) == records_max:
                break
    except _Unfinished as error:
        raise error.at_row(first_row + len(records)) from None
    feed.put_back()
    return records


class _Unfinished(Exception):
    """The record at hand is too long, or does not end in this file."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause)
        self.cause = cause

    def at_row(self, row: int) -> RefusedFile:
        where = f"row {row:,}" if row else "the header"
        if self.cause is Cause.LINE_TOO_LONG:
            return RefusedFile(self.cause, too_long(where))
        return RefusedFile(self.cause, f"the quotes opened in {where} are never closed: close them")


class _Feed:
    """Lines of a block, then of the next ones as long as a record stays open."""

    def __init__(self, lines: Lines, block: bytes) -> None:
        self._lines = lines
        self._text = io.StringIO(block.decode(), newline="\n")
        self._left = block.count(b"\n")
        self._beyond = False
        self.open_bytes = 0

    @property
    def used_up(self) -> bool:
        """Nothing of the block is left; asked between records, so memory stays bounded."""
        return self._beyond or self._left == 0

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if self._left == 0:
            block = self._lines.block()
            if not block:
                raise _Unfinished(Cause.OPEN_QUOTES)
            self._beyond = True
            self._text = io.StringIO(block.decode(), newline="\n")
            self._left = block.count(b"\n")
        line = self._text.readline()
        self._left -= 1
        self.open_bytes += len(line)
        if self.open_bytes > LINE_BYTES_MAX:
            raise _Unfinished(Cause.LINE_TOO_LONG)
        return line

    def put_back(self) -> None:
        self._lines.put_back(self._text.read().encode())


def _by_polars(block: bytes, width: int, separator: str, row: int) -> RawBatch | None:
    """The block read at once; None where only the csv module knows what is meant."""
    quoted = b'"' in block
    mark = next((mark.decode() for mark in _MARKS if mark not in block), None)
    if mark is None or (quoted and not _tidy(block, separator)):
        return None
    # The mark ends up in column `width` of a record of the right width, and nowhere else there.
    frame = _marked(block, width, separator, mark, quoted=quoted)
    all_whole = frame.select((pl.col(str(width)) == mark).fill_null(value=False).all()).item()
    if not all_whole:
        return None if quoted else _of_any_width(block, width, separator, mark, row)
    frame = frame.drop(str(width))
    has_lines = quoted and frame.height != block.count(b"\n")
    if has_lines:
        line_end = separator + mark + "\n"
        frame = frame.with_columns(pl.all().str.replace_all(line_end, "\n", literal=True))
        if frame.select(pl.sum_horizontal(pl.all().str.len_bytes()).max()).item() > LINE_BYTES_MAX:
            return None
    marks = may_have_marks(block, separator) or may_have_unseen(block)
    numbered = without_blank(_numbered(frame, row))
    return RawBatch(numbered, [], row + frame.height, frame.height, marks, has_lines)


def _of_any_width(block: bytes, width: int, separator: str, mark: str, row: int) -> RawBatch:
    block, wide = without_the_widest(block, width, separator, row)
    most = max(line.count(separator.encode()) for line in block.split(b"\n")) + 1
    if most > width + SURPLUS_MAX:
        # Read on, fields would be lost in silence.
        raise RuntimeError(f"a line has {most} fields, and wider ones were taken out before")
    frame = _marked(block, max(most, width), separator, mark, quoted=False)
    fitting, surplus, others = fitted_frame(_numbered(frame, row), width, mark)
    wide = sorted([*wide, *surplus], key=lambda record: record.row)
    marks = may_have_marks(block, separator) or may_have_unseen(block)
    fitting = without_blank(fitting)
    rows = frame.height
    return RawBatch(fitting, wide, row + rows, rows, marks, has_lines=False, widths=others)


def _marked(block: bytes, width: int, separator: str, mark: str, *, quoted: bool) -> pl.DataFrame:
    """Columns "0" to `width` of the block's lines, each of which has the mark as one more field."""
    names = [str(at) for at in range(width + 1)]
    # A header of our own: polars would undo compression where the first bytes look like it,
    # and "x^" does.
    header = (separator.join(names) + "\n").encode()
    return pl.read_csv(
        header + block.replace(b"\n", f"{separator}{mark}\n".encode()),
        schema=dict.fromkeys(names, pl.String),
        separator=separator,
        quote_char='"' if quoted else None,
        extra_columns="ignore",
        missing_columns="insert",
    )


def _numbered(frame: pl.DataFrame, row: int) -> pl.DataFrame:
    return frame.with_columns(row_number=pl.int_range(row, row + pl.len(), dtype=pl.Int32))


def _tidy(block: bytes, separator: str) -> bool:
    """Quotes stand only around whole fields, doubled inside them, and none stays open.

    Of the texts between quotes every second one lies outside: it is empty inside a doubled
    quote, and else begins and ends with a separator or a line end.
    """
    parts = block.split(b'"')
    if len(parts) % 2 == 0:
        return False
    ends = {ord(separator), ord("\n")}
    first, last = parts[0], parts[-1]
    if (first and first[-1] not in ends) or last[0] not in ends:
        return False
    # Few of them differ where everything is quoted.
    outside = set(parts[2:-1:2])
    return all(not part or (part[0] in ends and part[-1] in ends) for part in outside)


def _of_records(records: list[list[str]], width: int, row: int) -> RawBatch:
    wide: list[WideRecord] = []
    widths = None
    counts = list(map(len, records))
    if any(count != width for count in counts):
        records, wide = fitted(records, width, row)
        of_all = pl.DataFrame({"fields": counts}, schema={"fields": pl.Int32})
        widths = _numbered(of_all, row).filter(pl.col("fields") != width)
    columns = zip(*records, strict=True) if records else [()] * width
    schema: dict[str, pl.DataType | type[pl.DataType]] = {str(at): pl.String for at in range(width)}
    frame = pl.DataFrame(dict(zip(schema, columns, strict=True)), schema=schema)
    frame = without_blank(_numbered(frame, row))
    return RawBatch(frame, wide, row + len(records), len(records), widths=widths)
