"""Writes rejected rows as they were in the file, with their reasons, to be corrected."""

import csv
import io
from collections.abc import Iterable, Mapping

import polars as pl

from worker_service.carbon.csv_source.column_names import on_one_line
from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.reading import TextBatch
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMN, ROW_COLUMN
from worker_service.carbon.csv_source.spreadsheet_text import inert, inert_text
from worker_service.carbon.csv_source.widths import WideRecord


class Originals:
    """Writes rows of the file with this header: with the same separator, as UTF-8."""

    def __init__(self, header: Header) -> None:
        """Leaves out columns with reasons of an earlier time."""
        self._header = header
        self._kept = [at for at in range(header.width) if at not in header.of_reasons]

    def first_line(self) -> bytes:
        """The header of the file, and the two columns with row number and reason."""
        # Readers of its beginning look at one line.
        names = [inert_text(on_one_line(self._header.names[at])) for at in self._kept]
        return self._text([[*names, ROW_COLUMN, REASON_COLUMN]]).encode()

    def lines(self, batch: TextBatch, rejected: pl.DataFrame) -> bytes:
        """The rows of a batch that are in `rejected` (row, column, value, reason), with reasons."""
        reasons = _reasons(rejected)
        rows = batch.raw.with_columns(pl.col("row_number").cast(pl.Int64).alias("row"))
        fitting = rows.join(reasons, on="row", maintain_order="left")
        lines = pl.concat([fitting.select("row", self._line()), self._wide(batch.wide, reasons)])
        return str(lines.sort("row", maintain_order=True)["line"].str.join("").item()).encode()

    def _line(self) -> pl.Expr:
        """What `_text` makes of a row. A file may have nothing but bad rows, and Python is slow."""
        separator = self._header.separator
        texts = [inert(pl.col(str(at)).fill_null("")) for at in self._kept]
        number, reason = pl.col("row").cast(pl.String), inert(pl.col("reason"))
        written = [_quoted(text, separator) for text in (*texts, number, reason)]
        return (pl.concat_str(written, separator=separator) + "\n").alias("line")

    def _wide(self, records: Iterable[WideRecord], reasons: pl.DataFrame) -> pl.DataFrame:
        width, lines = self._header.width, []
        found = [record.row for record in records]
        by_row: Mapping[int, str] = dict(reasons.filter(pl.col("row").is_in(found)).iter_rows())
        for record in records:
            if record.row in by_row:
                fields = [inert_text(record.fields[at] or "") for at in self._kept]
                # What the header has no column for is not lost, and asks for a place.
                more = map(inert_text, record.fields[width:])
                reason = inert_text(by_row[record.row])
                lines.append((record.row, self._text([[*fields, record.row, reason, *more]])))
        return pl.DataFrame(lines, schema={"row": pl.Int64, "line": pl.String}, orient="row")

    def _text(self, rows: Iterable[Iterable[object]]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._header.separator, lineterminator="\n").writerows(rows)
        return text.getvalue()


def _reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """`row` and `reason`: all that is wrong with a row, each once."""
    named = pl.format("{}: {}", "column", "reason")
    said = rejected.select(
        "row", pl.when(pl.col("column") == "").then("reason").otherwise(named).alias("reason")
    )
    each = said.unique(maintain_order=True)
    return (
        each.group_by("row", maintain_order=True)
        .agg("reason")
        .with_columns(pl.col("reason").list.join("; "))
    )


def _quoted(text: pl.Expr, separator: str) -> pl.Expr:
    """As the csv module quotes a field of several."""
    odd = [text.str.contains(mark, literal=True) for mark in ('"', "\n", separator)]
    doubled = pl.lit('"') + text.str.replace_all('"', '""', literal=True) + '"'
    return pl.when(pl.any_horizontal(odd)).then(doubled).otherwise(text)
