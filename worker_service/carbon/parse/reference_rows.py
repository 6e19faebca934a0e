"""Reads files of reference data that are rows of one table, such as exchange rates and rooms."""

from dataclasses import replace

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.row_warnings import refused_rows
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.tables import ParsedTable, read_table
from worker_service.carbon.reference_kinds import YEAR_COLUMN, ReferenceKind
from worker_service.carbon.reference_lookup import key_of
from worker_service.carbon.stored import json_objects


def read_reference_rows(
    kind: ReferenceKind,
    open_file: Open,
    mapping: FileMapping = AS_DECLARED,
    bytes_max: int = FILE_BYTES_MAX,
) -> ParsedTable:
    """Reads a file of one kind. Of rows with the same identity the last one counts.

    Its accepted rows have row_number, key, year (null if the kind has none) and data, a JSON text
    of the columns without nulls. Raises RefusedFile as `read_table`.
    """
    table = read_table(open_file, kind.columns, kind.identity, bytes_max, mapping)
    refused = refused_rows(table.accepted, kind.checks)
    bad = pl.col("row_number").cast(pl.Int64).is_in(refused["row"].implode())
    accepted = table.accepted.filter(~bad).with_columns(key=key_of(kind.identity))
    kept = accepted.unique("key", keep="first", maintain_order=True)
    rejections = [table.rejected, refused, _alike(accepted, kept, kind)]
    columns = kept.select(column.name for column in kind.columns)
    year = pl.col(YEAR_COLUMN) if kind.has_years else pl.lit(None)
    rows = kept.select(
        "row_number",
        "key",
        year.cast(pl.Int16).alias("year"),
        json_objects(columns).alias("data"),
    )
    return replace(table, accepted=rows, rejected=merged_rejections(rejections))


def _alike(accepted: pl.DataFrame, kept: pl.DataFrame, kind: ReferenceKind) -> pl.DataFrame:
    """Rows that are another one's only because a comma stands elsewhere in their two names."""
    [*_, last] = kind.named_by
    of = kept.select("key", pl.col("row_number").alias("kept"))
    alike = accepted.join(of, on="key", maintain_order="left")
    return alike.filter(pl.col("row_number") != pl.col("kept")).select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(last).alias("column"),
        shown(pl.col(last)).alias("value"),
        pl.format(
            "reads {} with what is before it, as row {} does: leave out a comma", "key", "kept"
        ).alias("reason"),
    )
