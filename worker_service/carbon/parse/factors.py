"""Reads a factor file into factors of one data-entry type."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.survey import FileEncoding
from worker_service.carbon.declarations import (
    Band,
    Column,
    DataEntryType,
    FactorColumns,
    routing_column,
)
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.band_gaps import gaps, of_class, overlaps
from worker_service.carbon.parse.detoured_bands import differing_detours
from worker_service.carbon.parse.row_warnings import refused_rows, warned_rows
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.tables import TableOriginals, read_table
from worker_service.carbon.stored import json_objects


@dataclass(frozen=True, slots=True, eq=False)
class ParsedFactors:
    """A factor file.

    `accepted`: row_number, emission_type, kind, subkind, classification, values, then the typed
    columns. `classification` is a JSON text with all keys that identify the factor, null if blank;
    `values` is a JSON text without nulls. `warnings`: rows that a later one replaces, and doubtful
    ones.
    """

    encoding: FileEncoding
    accepted: pl.DataFrame
    rejected: pl.DataFrame
    warnings: pl.DataFrame
    unread_columns: tuple[UnreadColumn, ...]
    originals: TableOriginals


def factor_columns(declaration: DataEntryType) -> tuple[Column, ...]:
    """The columns of a factor file, with the one by which a file of several types is divided."""
    routing = declaration.routing
    routed = () if routing is None else (routing_column(routing),)
    return (*declaration.factors.classification, *declaration.factors.values, *routed)


def read_factors(
    declaration: DataEntryType,
    open_file: Open,
    mapping: FileMapping = AS_DECLARED,
    bytes_max: int = FILE_BYTES_MAX,
) -> ParsedFactors:
    """Reads and checks a factor file as a whole.

    Raises RefusedFile if no row can be used, or if bands of a class overlap: only the author knows
    which factor is meant. A gap between bands, and a gap or overlap that comes of different
    detours, is a warning, except in a file of mended rows, whose bands `gaps_in_force` completes.
    """
    columns = declaration.factors
    identity = [column.name for column in columns.classification]
    table = read_table(open_file, factor_columns(declaration), identity, bytes_max, mapping)
    accepted, rejected = table.accepted, table.rejected
    refused = refused_rows(accepted, columns.checks)
    if not refused.is_empty():
        bad = pl.col("row_number").cast(pl.Int64).is_in(refused["row"].implode())
        accepted, rejected = accepted.filter(~bad), merged_rejections([rejected, refused])
    doubtful = [table.warnings]
    if columns.band is not None:
        accepted, empty = _without_empty_bands(accepted, columns.band)
        rejected = merged_rejections([rejected, empty])
        _refuse_overlaps(accepted, columns, columns.band)
        if not table.originals.is_mended:
            doubtful.append(gaps(accepted, columns, columns.band))
            doubtful.append(differing_detours(accepted, columns, columns.band))
    return ParsedFactors(
        encoding=table.encoding,
        accepted=_factors(columns, accepted),
        rejected=rejected,
        warnings=merged_rejections([*doubtful, warned_rows(accepted, (), columns.warnings)]),
        unread_columns=table.unread_columns,
        originals=table.originals,
    )


def gaps_in_force(
    declaration: DataEntryType, accepted: pl.DataFrame, in_force: pl.DataFrame
) -> pl.DataFrame:
    """row, column, value, reason of gaps and overlaps once a file's factors are in force beside
    others, with their detours and without. Stale factors fill gaps, and overlap with none.

    `accepted` is that of ParsedFactors, `in_force` the factors of before, with their typed columns.
    """
    columns = declaration.factors
    if columns.band is None:
        return merged_rejections([])
    identity = [column.name for column in columns.classification]
    kept = in_force.join(accepted, on=identity, how="anti", nulls_equal=True)
    read = [*identity, *(column.name for column in columns.values)]
    no_row = pl.lit(None, accepted.schema["row_number"]).alias("row_number")
    all_of, fresh = (
        pl.concat([accepted.select("row_number", *read), beside.select(no_row, *read)])
        for beside in (kept, kept.filter(~pl.col("stale")))
    )
    of_band = (columns, columns.band)
    return merged_rejections(
        [
            gaps(all_of, *of_band),
            overlaps(accepted, kept.filter(~pl.col("stale")), *of_band),
            differing_detours(fresh, *of_band),
        ]
    )


def _factors(columns: FactorColumns, accepted: pl.DataFrame) -> pl.DataFrame:
    identity = [column.name for column in columns.classification]
    values = [column.name for column in columns.values]
    return accepted.select(
        "row_number",
        columns.emission_type.alias("emission_type"),
        _named(columns.kind).alias("kind"),
        _named(columns.subkind).alias("subkind"),
        pl.struct(identity).struct.json_encode().alias("classification"),
        json_objects(accepted.select(values)).alias("values"),
        *identity,
        *values,
    )


def _named(column: str | None) -> pl.Expr:
    return pl.lit(None, pl.String) if column is None else pl.col(column)


def _without_empty_bands(factors: pl.DataFrame, band: Band) -> tuple[pl.DataFrame, pl.DataFrame]:
    empty = (pl.col(band.upper) <= pl.col(band.lower)).fill_null(value=False)
    rejected = factors.filter(empty).select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(band.upper).alias("column"),
        pl.col(band.upper).cast(pl.String).alias("value"),
        _empty_reason(band).alias("reason"),
    )
    return factors.filter(~empty), rejected


def _empty_reason(band: Band) -> pl.Expr:
    lower, upper = pl.col(band.lower), pl.col(band.upper)
    thousands = (upper * 1_000).round()
    reason = pl.lit(f"must be larger than {band.lower}, or empty for no upper end")
    # Such as 3.700, which is 3.7 once it is read.
    has_point = (upper > 1) & (upper.round() != upper) & ((upper * 1_000 - thousands).abs() < 1e-6)
    hint = pl.format("; write {} if its point separates thousands", thousands.cast(pl.Int64))
    return pl.when(has_point & (thousands > lower)).then(reason + hint).otherwise(reason)


def _refuse_overlaps(factors: pl.DataFrame, columns: FactorColumns, band: Band) -> None:
    # Where any two bands overlap, two that are neighbours by their lower end do.
    pairs = (
        factors.with_columns(of_class=of_class(columns))
        .sort("of_class", band.lower, "row_number")
        .with_columns(
            pl.col("row_number", band.lower, band.upper).shift(1).over("of_class").name.suffix(":1")
        )
    )
    before_ends = pl.col(f"{band.upper}:1").fill_null(float("inf"))
    overlaps = pairs.filter(
        pl.col("row_number:1").is_not_null() & (pl.col(band.lower) < before_ends)
    )
    if overlaps.is_empty():
        return
    pair = overlaps.row(0, named=True)
    raise RefusedFile(
        Cause.CONTRADICTION,
        f"bands of {shown_text(pair['of_class']) or 'one class'} overlap:"
        f" {_shown_pair(pair, band, ':1')} and {_shown_pair(pair, band, '')}",
    )


def _shown_pair(pair: Mapping[str, float | None], band: Band, which: str) -> str:
    upper = pair[band.upper + which]
    end = "no end" if upper is None else f"{upper:g}"
    return f"{pair[band.lower + which]:g} to {end} (row {pair['row_number' + which]})"
