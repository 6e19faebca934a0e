"""Writes rejected rows as they were in the file, with their reasons, to be corrected."""

import csv
import io
from collections.abc import Iterable

import polars as pl

from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.reading import TextBatch
from worker_service.carbon.csv_source.reason_columns import REASON_COLUMN, ROW_COLUMN
from worker_service.carbon.csv_source.spreadsheet_text import inert_text


class Originals:
    """Writes rows of the file with this header: with the same separator, as UTF-8."""

    def __init__(self, header: Header) -> None:
        """Leaves out columns with reasons of an earlier time."""
        self._header = header
        self._kept = [at for at in range(header.width) if at not in header.of_reasons]

    def first_line(self) -> bytes:
        """The header of the file, and the two columns with row number and reason."""
        names = [self._header.names[at] for at in self._kept]
        return self._lines([[*map(inert_text, names), ROW_COLUMN, REASON_COLUMN]])

    def lines(self, batch: TextBatch, rejected: pl.DataFrame) -> bytes:
        """The rows of a batch that are in `rejected` (row, column, value, reason), with reasons."""
        reasons = self._reasons(rejected)
        if not reasons:
            return b""
        rows = batch.raw.filter(pl.col("row_number").is_in(list(reasons)))
        found = [(number, fields) for *fields, number in rows.rows()]
        found += [(record.row, record.fields) for record in batch.wide if record.row in reasons]
        found.sort(key=lambda row: row[0])
        return self._lines(
            [
                *(inert_text(fields[at] or "") for at in self._kept),
                number,
                inert_text(reasons[number]),
                # What the header has no column for is not lost, and asks for a place.
                *map(inert_text, fields[self._header.width :]),
            ]
            for number, fields in found
        )

    def _reasons(self, rejected: pl.DataFrame) -> dict[int, str]:
        reasons_by_row: dict[int, list[str]] = {}
        for row, column, _, reason in rejected.rows():
            reasons_by_row.setdefault(row, []).append(f"{column}: {reason}" if column else reason)
        return {row: "; ".join(dict.fromkeys(reasons)) for row, reasons in reasons_by_row.items()}

    def _lines(self, rows: Iterable[Iterable[object]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._header.separator, lineterminator="\n").writerows(rows)
        return text.getvalue().encode()
