"""Reads an uploaded file into batches of declared columns."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open, PlainBytes
from worker_service.carbon.csv_source.divided_numbers import (
    NO_NUMBERS,
    DividedNumbers,
    NumberColumns,
)
from worker_service.carbon.csv_source.header import SEPARATOR_LINE, Header, read_header, renamed_by
from worker_service.carbon.csv_source.invisible import trimmed_of_invisible
from worker_service.carbon.csv_source.likely_header import (
    LINES_MAX,
    cells_of,
    has_all,
    likely_line,
)
from worker_service.carbon.csv_source.lines import Lines
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.other_separator import (
    SEPARATORS,
    file_reason,
    other_separator_of,
    rows_of_another_separator,
)
from worker_service.carbon.csv_source.records import RawBatch, batches
from worker_service.carbon.csv_source.refusal import (
    BLANK_ROWS_MAX,
    Cause,
    RefusedFile,
    too_many_blank,
)
from worker_service.carbon.csv_source.spreadsheet_text import unmarked
from worker_service.carbon.csv_source.survey import FileEncoding, Survey, survey
from worker_service.carbon.csv_source.swallowed_rows import rows_in_fields
from worker_service.carbon.csv_source.widths import WideRecord, rejected_for_width
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.workbooks.sheets import Table
from worker_service.carbon.workbooks.text_of import NO_GUESS, Guess, TextOf, text_of


@dataclass(frozen=True, slots=True, eq=False)
class TextBatch:
    """A batch of rows.

    `frame`: row_number i32 and every known column as text, null if the file lacks it. `content`: a
    hash of all fields of each row, unknown columns included; equal fields have equal hashes within
    this process. `wide`: records with more fields than the header. `ragged`: these and rows with
    another separator, as row, column, value, reason. `raw`: the records as they are in the file.
    """

    frame: pl.DataFrame
    content: pl.Series
    ragged: pl.DataFrame
    raw: pl.DataFrame
    wide: list[WideRecord]


@dataclass(frozen=True, slots=True, eq=False)
class TextFile:
    """A file whose header has been read.

    `line_count` is an estimate of its rows, for progress. `unread` are unknown columns. Those
    without a name are added while batches are read, if a row has a value there. `divided`: rows
    that a decimal comma may have made longer; tell it which of them are accepted. The file is
    closed at its end, or by `close`. `guess`: where the table is, if that was guessed.
    """

    encoding: FileEncoding
    header: Header
    line_count: int
    unread: list[UnreadColumn]
    divided: DividedNumbers
    batches: Iterator[TextBatch]
    close: Callable[[], None]
    guess: Guess = NO_GUESS


def read_text(
    open_file: Open,
    required: Collection[str],
    optional: Collection[str],
    bytes_max: int = FILE_BYTES_MAX,
    numbers: NumberColumns = NO_NUMBERS,
    mapping: FileMapping = AS_DECLARED,
) -> TextFile:
    """Checks the file, reads its header, and then its rows in batches of about 12,500.

    Of a workbook it reads the sheet that has the columns, or that OfSheet names. `open_file` is
    called twice. Raises RefusedFile here, or while batches are read.
    """
    table = table_of(required, optional, mapping)
    with_comma = [*numbers.decimals, *numbers.whole] if mapping.decimal == "comma" else []
    of_numbers = table_of(with_comma, (), mapping).required
    text = text_of(open_file, table, bytes_max, of_numbers)
    try:
        return _of_text(text, required, optional, bytes_max, numbers, mapping)
    except BaseException:
        text.close()
        raise


def look_at(open_file: Open, table: Table) -> TextFile:
    """The file as it is, for a look at its names and its first rows. Blocks. Raises RefusedFile.

    If no line has all required columns of the table, the header is that line, and the sheet of a
    workbook that one, which has names like most of them.
    """
    text = text_of(open_file, replace(table, may_guess=True), FILE_BYTES_MAX)
    try:
        said, known = FileMapping(header_line=table.said_line), [*table.required, *table.optional]
        return _of_text(text, (), known, FILE_BYTES_MAX, NO_NUMBERS, said, guessed=table)
    except BaseException:
        text.close()
        raise


def table_of(required: Collection[str], optional: Collection[str], mapping: FileMapping) -> Table:
    """What the columns are called in the file."""
    written = {name: compared for compared, name in renamed_by(mapping).items() if name}
    return Table(
        [written.get(name, name) for name in required if name not in mapping.constants],
        [written.get(name, name) for name in optional if name not in mapping.constants],
        mapping.header_line,
    )


def _of_text(
    text: TextOf,
    required: Collection[str],
    optional: Collection[str],
    bytes_max: int,
    numbers: NumberColumns,
    mapping: FileMapping,
    *,
    guessed: Table | None = None,
) -> TextFile:
    surveyed = survey(text.open, bytes_max)
    encoding = replace(surveyed.encoding, extraction=text.sentence)
    stream = PlainBytes(text.open(), bytes_max)
    opened = ExitStack()
    opened.callback(text.close)
    opened.callback(stream.close)
    try:
        lines, guess = Lines(stream, surveyed.encoding.name), text.guess
        if text.is_of_cells:
            # It begins with its header.
            mapping = replace(mapping, header_line=0)
        elif guessed:
            guess = Guess(header_line=_guessed_line(lines, guessed))
            mapping = replace(mapping, header_line=guess.header_line or mapping.header_line)
        header = replace(read_header(lines, required, optional, mapping), of_cells=text.is_of_cells)
    except BaseException as error:
        stream.close()
        if isinstance(error, RefusedFile) and (said := encoding.sentence):
            raise error.with_more(said) from error
        raise
    known = [*required, *optional]
    unread = list(header.unread)
    divided = DividedNumbers(header, numbers)
    return TextFile(
        encoding=encoding,
        header=header,
        line_count=_rows(surveyed),
        unread=unread,
        divided=divided,
        batches=_named(opened, lines, header, _columns(header, known, mapping), unread, divided),
        close=opened.close,
        guess=guess,
    )


def _guessed_line(lines: Lines, table: Table) -> int:
    """The line that seems to be the header. 0 if the first has the columns, or one was said."""
    block = lines.block()
    lines.put_back(block)
    texts = block.decode().split("\n", LINES_MAX)[:LINES_MAX]
    begins = (at for at, text in enumerate(texts) if text.strip() and not _is_separator_line(text))
    first = next(begins, 0)
    has_columns = (has_all(cells_of(texts, first, mark), table.required) for mark in SEPARATORS)
    if table.said_line or any(has_columns):
        return 0
    at = likely_line(texts, SEPARATORS, [*table.required, *table.optional])
    return at + 1 if at > first else 0


def _is_separator_line(text: str) -> bool:
    return SEPARATOR_LINE.fullmatch(text.encode()) is not None


def _columns(header: Header, known: Collection[str], mapping: FileMapping) -> dict[str, pl.Expr]:
    """The text of each known column: of the file, or the same for all rows, null for none."""
    return {
        name: pl.col(str(header.positions[name]))
        if name in header.positions
        else pl.lit(mapping.constants.get(name) or None, pl.String)
        for name in known
    }


def _rows(surveyed: Survey) -> int:
    return max(surveyed.line_count - 1, 0)


def _named(
    opened: ExitStack,
    lines: Lines,
    header: Header,
    columns: Mapping[str, pl.Expr],
    unread: list[UnreadColumn],
    divided: DividedNumbers,
) -> Iterator[TextBatch]:
    nothing, unnamed = True, set(header.unnamed)
    blank = 0
    with opened:
        for batch in batches(lines, header.width, header.separator):
            blank += batch.read_rows - batch.frame.height - len(batch.wide)
            if blank > BLANK_ROWS_MAX:
                raise too_many_blank()
            ragged = _ragged(batch, header, divided)
            if nothing:
                _refuse_another_separator(batch, ragged, header)
            nothing = nothing and batch.frame.is_empty() and not batch.wide
            fitting = batch.frame
            if len(batch.wide) < ragged.height:
                is_ragged = pl.col("row_number").is_in(ragged["row"].implode())
                fitting = fitting.filter(~is_ragged)
            frame = fitting.select("row_number", **columns)
            if batch.has_marks:
                frame = frame.with_columns(
                    trimmed_of_invisible(unmarked(pl.col(name))) for name in columns
                )
            for at in [at for at in sorted(unnamed) if _has_text(fitting, at)]:
                unnamed.remove(at)
                unread.append(UnreadColumn(f"column {at + 1:,} (it has no name)"))
            yield TextBatch(frame, _content(fitting, header), ragged, batch.frame, batch.wide)
    if nothing:
        raise RefusedFile(Cause.NO_ROWS, "the file has a header and no rows")


def _ragged(batch: RawBatch, header: Header, divided: DividedNumbers) -> pl.DataFrame:
    """row, column, value, reason of rows that cannot be divided into the header's columns."""
    wide = rejected_for_width(batch.wide, header.width, header.separator)
    others = rows_of_another_separator(batch.frame, header.width, header.separator, header.needed)
    if batch.has_lines:
        own_width = header.width - len(header.of_reasons)
        others += rows_in_fields(batch.frame, header.written_names, own_width, header.separator)
    others += divided.rejected(batch)
    return pl.concat([wide, *others]).sort("row") if others else wide


def _refuse_another_separator(batch: RawBatch, ragged: pl.DataFrame, header: Header) -> None:
    """RefusedFile where no row of a file's beginning has the header's separator."""
    rows = batch.frame.height + len(batch.wide)
    reasons = ragged["reason"].unique().to_list()
    if rows and ragged.height == rows and len(reasons) == 1:
        other = other_separator_of(reasons[0], header.separator)
        if other:
            raise RefusedFile(Cause.MIXED_SEPARATORS, file_reason(header.separator, other))


def _has_text(frame: pl.DataFrame, at: int) -> bool:
    said = pl.col(str(at)).str.strip_chars().fill_null("") != ""
    return bool(frame.select(said.any()).item())


def _content(frame: pl.DataFrame, header: Header) -> pl.Series:
    said = [str(at) for at in range(header.width) if at not in header.of_reasons]
    # An empty field is null or "", by who read the block.
    return frame.select(pl.col(said).fill_null("")).hash_rows()
