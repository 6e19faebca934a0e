"""Reads an activity file into entries of one data-entry type and year."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.reading import TextBatch, TextFile, read_text
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.csv_source.survey import FileEncoding
from worker_service.carbon.declarations import (
    COMMON_COLUMNS,
    UNIT_COLUMN,
    Column,
    DataEntryType,
)
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping, check_mapping
from worker_service.carbon.parse.as_written import as_written
from worker_service.carbon.parse.constants import check_constants
from worker_service.carbon.parse.cut_numbers import CutNumbers
from worker_service.carbon.parse.equal_rows import LISTED_ROWS, ComparedRows
from worker_service.carbon.parse.marked_keys import marked_keys
from worker_service.carbon.parse.misread_texts import misread_texts
from worker_service.carbon.parse.repeated_keys import RepeatedKeys
from worker_service.carbon.parse.row_warnings import refused_rows, warned_rows
from worker_service.carbon.parse.rows import check_rows, merged_rejections
from worker_service.carbon.parse.spellings import spellings
from worker_service.carbon.parse.thousands_points import ThousandsPoints, number_columns
from worker_service.carbon.parse.total_rows import with_total_rows
from worker_service.carbon.parse.units import UNIT, KnownUnits

_OVERRIDE = "kg_co2eq"


@dataclass(frozen=True, slots=True)
class EntryScope:
    """Which entries a file may hold: of one year, and, if `unit` is set, of one unit.

    `units` are the ids of the institution's units, as stored.
    """

    year: int
    units: Collection[str]
    unit: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EntryBatch:
    """A batch of rows.

    `accepted`: row_number i32, unit, the declared columns, kg_co2eq, note. `rejected` and `warned`:
    row, column, value, reason; warned rows are accepted. `rejected_rows` and `warned_rows` count
    rows, not reasons. `rejected_lines`: the rejected rows as they are in the file, with reasons, as
    CSV. `spellings`: of codes in accepted rows, see there. The last batch has no rows, but the
    warnings and `remarks` (sentences) on the whole file.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    rejected_rows: int
    warned: pl.DataFrame
    warned_rows: int
    rejected_lines: bytes = b""
    remarks: tuple[str, ...] = ()
    spellings: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EntryFile:
    """An activity file whose header has been read.

    `unread_columns` are unknown; the list is complete after the last batch. `line_count` is an
    estimate of the rows. `rejected_header` is the line before all `rejected_lines`. `is_mended`:
    the file has the columns of a file of rejected rows, so it is only a part of one. The file is
    closed at its end, or by `close`.
    """

    encoding: FileEncoding
    unread_columns: Sequence[UnreadColumn]
    line_count: int
    rejected_header: bytes
    batches: Iterator[EntryBatch]
    close: Callable[[], None]
    is_mended: bool = False


def entry_columns(declaration: DataEntryType, *, per_year: bool) -> tuple[Column, ...]:
    """The columns of an activity file. A file of all units has a column with the unit."""
    own = (*declaration.columns, *COMMON_COLUMNS)
    return (UNIT, *own) if per_year else own


def read_entries(
    declaration: DataEntryType,
    open_file: Open,
    scope: EntryScope,
    bytes_max: int = FILE_BYTES_MAX,
    mapping: FileMapping = AS_DECLARED,
) -> EntryFile:
    """Reads and checks a file in batches of about 12,500 rows, in bounded memory.

    Row numbers count the records after the header, blank ones too: row 1 is line 2 in a
    spreadsheet. `open_file` is called twice. Raises RefusedFile here, for a `mapping` that is wrong
    before the file is opened, or while batches are read.
    """
    columns = entry_columns(declaration, per_year=scope.unit is None)
    check_mapping(mapping, (*columns, UNIT))
    check_constants(mapping, columns, scope.year)
    written = mapping.applied_to((*declaration.columns, *COMMON_COLUMNS))
    required = [column.name for column in columns if column.required]
    optional = [column.name for column in columns if not column.required]
    if scope.unit is not None:
        optional.append(UNIT_COLUMN)
    try:
        text = read_text(open_file, required, optional, bytes_max, number_columns(columns), mapping)
    except RefusedFile as refused:
        if refused.missing != (UNIT_COLUMN,):
            raise
        raise refused.with_more("if all rows are of one unit, name it with --unit") from refused
    return EntryFile(
        encoding=text.encoding,
        unread_columns=text.unread,
        line_count=text.line_count,
        rejected_header=Originals(text.header).first_line(),
        batches=_batches(text, declaration, written, scope),
        close=text.close,
        is_mended=text.header.is_mended,
    )


def _batches(
    text: TextFile, declaration: DataEntryType, columns: Sequence[Column], scope: EntryScope
) -> Iterator[EntryBatch]:
    units = KnownUnits(scope.units, scope.unit)
    compared = ComparedRows(declaration.columns)
    points = ThousandsPoints(columns, text.header.separator)
    originals = Originals(text.header)
    cut_numbers = CutNumbers(text.header, columns)
    repeated = RepeatedKeys(declaration.unique)
    batch = None
    for read in text.batches:
        checked = _checked(read, declaration, columns, scope, (units, repeated))
        checked = _with_cut_numbers(checked, read, cut_numbers)
        batch = replace(checked, rejected_lines=originals.lines(read, checked.rejected))
        compared.add(batch.accepted, _content_of(read, batch.accepted), batch.warned)
        points.add(read.frame, batch.accepted, batch.warned)
        text.divided.note(batch.accepted, batch.warned)
        yield batch
    if batch is not None:
        equal, ambiguous = compared.equal(), _ambiguous(points.ambiguous(), text)
        copies = equal.copies["row_number"].cast(pl.Int64)
        known = pl.col("warned") | pl.col("row").is_in(copies.implode())
        late = ambiguous.with_columns(warned=known)
        for some in equal.listed():
            if some.height == LISTED_ROWS:
                yield _of_the_whole_file(batch, some)
            else:
                late = pl.concat([some, late])
        yield replace(_of_the_whole_file(batch, late), remarks=equal.remarks)


def _with_cut_numbers(batch: EntryBatch, read: TextBatch, numbers: CutNumbers) -> EntryBatch:
    cut = numbers.found(read.raw, batch.accepted)
    if cut.is_empty():
        return batch
    warned = merged_rejections([batch.warned, cut])
    return replace(batch, warned=warned, warned_rows=warned["row"].n_unique())


def _ambiguous(points: pl.DataFrame, text: TextFile) -> pl.DataFrame:
    """Numbers that may be read in two ways; a row of both kinds is counted once."""
    divided = text.divided.doubtful()
    counted = pl.col("warned") | pl.col("row").is_in(points["row"].implode())
    return pl.concat([points, divided.with_columns(warned=counted)])


def _of_the_whole_file(last: EntryBatch, late: pl.DataFrame) -> EntryBatch:
    """Warnings that were known only at the end, in a batch without rows of its own."""
    return EntryBatch(
        accepted=last.accepted.clear(),
        rejected=last.rejected.clear(),
        rejected_rows=0,
        warned=merged_rejections([late.drop("warned")]),
        warned_rows=late.filter(~pl.col("warned"))["row"].n_unique(),
    )


def _content_of(read: TextBatch, accepted: pl.DataFrame) -> pl.Series:
    if accepted.height == read.frame.height:
        return read.content
    taken = read.frame["row_number"].is_in(accepted["row_number"].implode())
    return read.content.filter(taken)


def _checked(
    batch: TextBatch,
    declaration: DataEntryType,
    columns: Sequence[Column],
    scope: EntryScope,
    of_file: tuple[KnownUnits, RepeatedKeys],
) -> EntryBatch:
    frame = batch.frame
    units, repeated_keys = of_file
    known, unknown = units.found(frame)
    checked = check_rows(frame, columns, scope.year, override=_OVERRIDE)
    typed = checked.accepted.rename({column.name: column.field for column in columns})
    refused = refused_rows(typed, declaration.checks)
    joined = _without(typed, refused).join(known, on="row_number", maintain_order="left")
    repeated = repeated_keys.found(joined)
    fields = (column.field for column in columns)
    accepted = _without(joined, repeated).select("row_number", "unit", *fields)
    refused = as_written(merged_rejections([refused, repeated]), frame)
    rejections = merged_rejections([batch.ragged, unknown, checked.rejected, refused])
    named = [name for name in frame.columns if frame.schema[name] == pl.String]
    rejected = with_total_rows(rejections, frame, named)
    warned = as_written(warned_rows(accepted, columns, declaration.warnings), frame)
    texts = (find(frame, accepted, columns) for find in (marked_keys, misread_texts))
    warned = merged_rejections([warned, *texts])
    return EntryBatch(
        accepted=accepted,
        rejected=rejected,
        rejected_rows=rejected["row"].n_unique(),
        warned=warned,
        warned_rows=warned["row"].n_unique(),
        spellings=spellings(accepted, frame, declaration.columns),
    )


def _without(rows: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    if rejected.is_empty():
        return rows
    return rows.filter(~pl.col("row_number").cast(pl.Int64).is_in(rejected["row"].implode()))
