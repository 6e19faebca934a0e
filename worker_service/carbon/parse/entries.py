"""An activity file to entries of one data-entry type and year."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.reading import TextBatch, TextFile, read_text
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.declarations import (
    COMMON_COLUMNS,
    UNIT_COLUMN,
    Column,
    DataEntryType,
    Normalisation,
)
from worker_service.carbon.parse.equal_rows import ComparedRows
from worker_service.carbon.parse.row_warnings import warned_rows
from worker_service.carbon.parse.rows import CheckedRows, check_rows, merged_rejections
from worker_service.carbon.parse.values import folded, folded_keys

_OVERRIDE = "kg_co2eq"
_UNIT = Column(UNIT_COLUMN, normalisation=Normalisation.KEY, example="0828")


@dataclass(frozen=True, slots=True)
class EntryScope:
    """Which entries a file may hold: those of `year` and, if set, of one `unit` alone.

    `units` are the institution's units, as they are spelt there.
    """

    year: int
    units: Collection[str]
    unit: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class EntryBatch:
    """`accepted`: row_number i32, unit, the declared columns, kg_co2eq, note.

    `rejected` and `warned`: row, column, value, reason. Rejected rows are not accepted, warned
    ones are; `rejected_rows` and `warned_rows` count rows, not reasons. The last batch has no
    rows of its own, but the warnings and `remarks` (sentences) that need the whole file.
    """

    accepted: pl.DataFrame
    rejected: pl.DataFrame
    rejected_rows: int
    warned: pl.DataFrame
    warned_rows: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class EntryFile:
    """`unread_columns` are in the file and never read. `line_count` guesses the rows."""

    encoding: str
    unread_columns: tuple[UnreadColumn, ...]
    line_count: int
    batches: Iterator[EntryBatch]


def entry_columns(declaration: DataEntryType, *, per_year: bool) -> tuple[Column, ...]:
    """The columns of an activity file: a file of all units names the unit of each row."""
    own = (*declaration.columns, *COMMON_COLUMNS)
    return (_UNIT, *own) if per_year else own


def read_entries(
    declaration: DataEntryType,
    open_file: Open,
    scope: EntryScope,
    bytes_max: int = FILE_BYTES_MAX,
) -> EntryFile:
    """Reads and checks a file, about 12,500 rows at a time, in bounded memory.

    Row numbers count records after the header, blank ones too, so that row 1 is line 2 of a
    spreadsheet. `open_file` is called twice. RefusedFile here or while the batches are read.
    """
    columns = entry_columns(declaration, per_year=scope.unit is None)
    required = [column.name for column in columns if column.required]
    optional = [column.name for column in columns if not column.required]
    if scope.unit is not None:
        optional.append(UNIT_COLUMN)
    text = read_text(open_file, required, optional, bytes_max)
    units = _folded_units(scope)
    return EntryFile(
        encoding=text.encoding,
        unread_columns=text.header.unread,
        line_count=text.line_count,
        batches=_batches(text, declaration, scope, units),
    )


def _batches(
    text: TextFile, declaration: DataEntryType, scope: EntryScope, units: dict[str, str]
) -> Iterator[EntryBatch]:
    compared = ComparedRows(declaration.columns)
    batch = None
    for read in text.batches:
        batch = _checked(read, declaration, scope, units)
        compared.add(batch.accepted, _content_of(read, batch.accepted), batch.warned)
        yield batch
    if batch is not None:
        equal = compared.equal()
        accepted, rejected = batch.accepted.clear(), batch.rejected.clear()
        yield EntryBatch(accepted, rejected, 0, equal.warned, equal.warned_rows, equal.remarks)


def _content_of(read: TextBatch, accepted: pl.DataFrame) -> pl.Series:
    if accepted.height == read.frame.height:
        return read.content
    taken = read.frame["row_number"].is_in(accepted["row_number"].implode())
    return read.content.filter(taken)


def _folded_units(scope: EntryScope) -> dict[str, str]:
    allowed = list(scope.units) if scope.unit is None else [scope.unit]
    return dict(zip(folded_keys(allowed), allowed, strict=True))


def _checked(
    batch: TextBatch, declaration: DataEntryType, scope: EntryScope, units: dict[str, str]
) -> EntryBatch:
    frame, columns = batch.frame, (*declaration.columns, *COMMON_COLUMNS)
    known, unknown = _units(frame, scope, units)
    checked = check_rows(frame, columns, scope.year, override=_OVERRIDE)
    joined = checked.accepted.join(known, on="row_number", maintain_order="left")
    accepted = joined.select("row_number", "unit", *(column.name for column in columns))
    rejected = merged_rejections([batch.ragged, unknown, checked.rejected])
    warned = warned_rows(accepted, columns, declaration.warnings)
    return EntryBatch(
        accepted=accepted,
        rejected=rejected,
        rejected_rows=rejected["row"].n_unique(),
        warned=warned,
        warned_rows=warned["row"].n_unique(),
    )


def _units(
    frame: pl.DataFrame, scope: EntryScope, units: dict[str, str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """row_number and unit of the rows whose unit is good, and rejections of the others."""
    checked: CheckedRows = check_rows(frame, (_UNIT,))
    if scope.unit is not None:
        # A file for one unit need not name it.
        rows = frame.select("row_number", pl.col(UNIT_COLUMN).str.strip_chars())
        unnamed = pl.col(UNIT_COLUMN).fill_null("") == ""
        named = folded(pl.when(unnamed).then(pl.lit(scope.unit)).otherwise(UNIT_COLUMN))
        checked = CheckedRows(rows.with_columns(named.alias(UNIT_COLUMN)), checked.rejected.clear())
        reason = f"is another unit than {scope.unit}, which the file was uploaded for"
    else:
        reason = "is not a unit of the institution"
    looked_up = checked.accepted.with_columns(
        unit=pl.col(UNIT_COLUMN).replace_strict(
            list(units), list(units.values()), default=None, return_dtype=pl.String
        )
    )
    strangers = (
        looked_up.filter(pl.col("unit").is_null())
        .join(frame, on="row_number", suffix="_as_written", maintain_order="left")
        .select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            pl.lit(UNIT_COLUMN).alias("column"),
            shown(pl.col(f"{UNIT_COLUMN}_as_written")).alias("value"),
            pl.lit(reason).alias("reason"),
        )
    )
    known = looked_up.filter(pl.col("unit").is_not_null()).select("row_number", "unit")
    return known, merged_rejections([checked.rejected, strangers])
