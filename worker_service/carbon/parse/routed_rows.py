"""Divides the rows of a shared file among data-entry types, by a join."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.divided_numbers import NumberColumns
from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.reading import TextBatch, TextFile, read_text
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.declarations import COMMON_COLUMNS, UNIT_COLUMN
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.thousands_points import decimals_of
from worker_service.carbon.parse.values import as_comparison_key
from worker_service.carbon.routes import Routes

_NO_MAPPING = (
    "a file of several types is read by these names alone: rename its columns, or divide it by type"
    " and submit each part with a mapping"
)


@dataclass(frozen=True, slots=True, eq=False)
class RoutedBatch:
    """A batch of rows: `lines` as CSV by the name of their type, and the rejected ones.

    `rejected`: row, column, value, reason; `rejected_lines` as they are in the file, with reasons.
    """

    lines: dict[str, bytes]
    rows: dict[str, int]
    rejected: pl.DataFrame
    rejected_lines: bytes


def read_routed(
    routes: Routes, open_file: Open, *, of_one_unit: bool, bytes_max: int = FILE_BYTES_MAX
) -> TextFile:
    """Reads the header of a shared file. Raises RefusedFile, also while batches are read."""
    required, optional = routes.required, routes.optional
    if not routes.of_factors:
        optional += [column.name for column in COMMON_COLUMNS]
        (optional if of_one_unit else required).insert(0, UNIT_COLUMN)
    columns = [column for of_type in routes.columns for column in of_type]
    numbers = NumberColumns(decimals_of(columns), required)
    try:
        return read_text(open_file, required, optional, bytes_max, numbers)
    except RefusedFile as refused:
        if not refused.missing:
            raise
        raise refused.with_more(_NO_MAPPING) from refused


def routed_batches(text: TextFile, routes: Routes, kinds: pl.DataFrame) -> Iterator[RoutedBatch]:
    """The rows of each type as a file of its own, which begins with `header_line`.

    A row keeps its number: rows of other types are empty lines. `kinds`: kind and types, of the
    factors of the year, a row for each kind.
    """
    originals = Originals(text.header)
    last_rows = dict.fromkeys(routes.types, 0)
    for batch in text.batches:
        routed = _routed(batch.frame, routes, kinds)
        rejected = merged_rejections([batch.ragged, _unrouted(routed, routes)])
        lines, rows = {}, {}
        for name in routes.types:
            numbers = routed.filter(pl.col("route") == name)["row_number"]
            lines[name] = _lines(batch, text.header, numbers, last_rows[name])
            rows[name] = numbers.len()
            last_rows[name] = max([last_rows[name], *numbers.tail(1)])
        yield RoutedBatch(lines, rows, rejected, originals.lines(batch, rejected))


def header_line(header: Header) -> bytes:
    """The header of the file, for each of the parts."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=header.separator, lineterminator="\n").writerow(header.names)
    return text.getvalue().encode()


def _routed(frame: pl.DataFrame, routes: Routes, kinds: pl.DataFrame) -> pl.DataFrame:
    """row_number, said (the routing value), kind, types of its factors, and route: the type."""
    named = pl.DataFrame({"key": list(routes.types), "named": list(routes.types)})
    keyed = frame.select(
        "row_number",
        pl.col(routes.column).str.strip_chars().fill_null("").alias("said"),
        as_comparison_key(pl.col(routes.kind).fill_null("").str.strip_chars()).alias("kind"),
    ).with_columns(key=as_comparison_key(pl.col("said")))
    joined = keyed.join(named, on="key", how="left", maintain_order="left")
    joined = joined.join(kinds, on="kind", how="left", maintain_order="left")
    by_kind = pl.when(pl.col("types").list.len() == 1).then(pl.col("types").list.first())
    route = pl.when(pl.col("said") == "").then(by_kind).otherwise(pl.col("named"))
    return joined.with_columns(route=route)


def _unrouted(routed: pl.DataFrame, routes: Routes) -> pl.DataFrame:
    """row, column, value, reason of the rows whose type is not known."""
    values = ", ".join(routes.types)
    of_kind = pl.format(f"is empty, and {{}} of this year for {routes.kind} {{}}", "found", "kind")
    found = (
        pl.when(pl.col("types").is_null())
        .then(pl.lit("there is no factor"))
        .otherwise(pl.format("there are factors of {}", pl.col("types").list.join(" and ")))
    )
    empty = pl.lit("is empty") if routes.of_factors else of_kind
    reason = pl.when(pl.col("said") == "").then(empty).otherwise(pl.lit("is not a type"))
    return (
        routed.filter(pl.col("route").is_null())
        .with_columns(found=found)
        .select(
            pl.col("row_number").cast(pl.Int64).alias("row"),
            pl.lit(routes.column).alias("column"),
            shown(pl.col("said")).alias("value"),
            pl.format("{}: write one of {}", reason, pl.lit(values)).alias("reason"),
        )
    )


def _lines(batch: TextBatch, header: Header, numbers: pl.Series, last: int) -> bytes:
    """The rows with these numbers, and empty lines for what is between them and row `last`."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=header.separator, lineterminator="\n")
    for *fields, number in batch.raw.filter(pl.col("row_number").is_in(numbers.implode())).rows():
        text.write("\n" * (number - last - 1))
        writer.writerow(fields)
        last = number
    return text.getvalue().encode()
