"""Reads small files as a whole: factors, places, units."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import FILE_BYTES_MAX, Open
from worker_service.carbon.csv_source.header import Header
from worker_service.carbon.csv_source.mended import Originals
from worker_service.carbon.csv_source.near_names import UnreadColumn
from worker_service.carbon.csv_source.reading import TextBatch, read_text
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.csv_source.survey import FileEncoding
from worker_service.carbon.declarations import Column
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping, check_mapping
from worker_service.carbon.parse.as_written import as_written
from worker_service.carbon.parse.constants import check_constants
from worker_service.carbon.parse.cut_numbers import CutNumbers
from worker_service.carbon.parse.invisible_in_keys import invisible_in_keys
from worker_service.carbon.parse.marked_keys import marked_keys
from worker_service.carbon.parse.misread_texts import misread_texts
from worker_service.carbon.parse.row_warnings import warned_rows
from worker_service.carbon.parse.rows import check_rows, merged_rejections
from worker_service.carbon.parse.thousands_points import ThousandsPoints, number_columns
from worker_service.carbon.parse.values import as_comparison_key

TABLE_ROWS_MAX = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class ParsedTable:
    """A file read whole.

    `accepted`: row_number and the columns. `rejected` and `warnings`: row, column, value,
    reason; a warning's row was good, and somebody should look at it: another one of the file
    takes its place, or it is accepted and doubtful.
    """

    encoding: FileEncoding
    accepted: pl.DataFrame
    rejected: pl.DataFrame
    warnings: pl.DataFrame
    unread_columns: tuple[UnreadColumn, ...]
    originals: "TableOriginals"


@dataclass(frozen=True, slots=True, eq=False)
class TableOriginals:
    """The rows of a file as they are in it."""

    header: Header
    batches: Sequence[TextBatch]

    @property
    def is_mended(self) -> bool:
        """Whether the file has the columns of a file of rejected rows."""
        return self.header.is_mended

    def first_line(self) -> bytes:
        """The header, and the two columns with row number and reason."""
        return Originals(self.header).first_line()

    def lines(self, rejected: pl.DataFrame) -> bytes:
        """The rejected rows with their reasons, as CSV."""
        originals = Originals(self.header)
        return b"".join(originals.lines(batch, rejected) for batch in self.batches)


def read_table(
    open_file: Open,
    columns: Sequence[Column],
    identity: Sequence[str],
    bytes_max: int = FILE_BYTES_MAX,
    mapping: FileMapping = AS_DECLARED,
) -> ParsedTable:
    """Reads and checks a file. Of rows with the same identity the last one counts.

    Raises RefusedFile if nothing of the file can be used, it has more than TABLE_ROWS_MAX rows, or
    the `mapping` is wrong.
    """
    check_mapping(mapping, columns)
    check_constants(mapping, columns)
    written = mapping.applied_to(columns)
    text = read_text(
        open_file,
        [column.name for column in columns if column.required],
        [column.name for column in columns if not column.required],
        bytes_max,
        number_columns(columns),
        mapping,
    )
    batches: list[TextBatch] = []
    rows = 0
    for batch in text.batches:
        batches.append(batch)
        rows += batch.frame.height
        if rows > TABLE_ROWS_MAX:
            raise RefusedFile(Cause.TOO_LARGE, f"the file has more than {TABLE_ROWS_MAX:,} rows")
    texts = pl.concat(batch.frame for batch in batches)
    checked = check_rows(texts, written)
    accepted, replaced = _last_stands(checked.accepted, identity)
    rejected = merged_rejections([*(batch.ragged for batch in batches), checked.rejected])
    points = ThousandsPoints(written, text.header.separator)
    points.add(texts, accepted, replaced)
    text.divided.note(accepted, replaced)
    ambiguous = pl.concat([points.ambiguous(), text.divided.doubtful()]).drop("warned")
    warned = as_written(merged_rejections([replaced, warned_rows(accepted, columns)]), texts)
    keys = {name: at for name, at in text.header.positions.items() if name in identity}
    invisible = invisible_in_keys(batches, keys, checked.accepted)
    marked = marked_keys(texts, checked.accepted, columns, identity)
    misread = misread_texts(texts, checked.accepted, columns)
    numbers = CutNumbers(text.header, written)
    cut = [numbers.found(one.raw, checked.accepted) for one in batches]
    warnings = merged_rejections([warned, ambiguous, invisible, marked, misread, *cut])
    return ParsedTable(
        encoding=text.encoding,
        accepted=accepted,
        rejected=rejected,
        warnings=warnings,
        unread_columns=tuple(text.unread),
        originals=TableOriginals(text.header, batches),
    )


def _last_stands(
    accepted: pl.DataFrame, identity: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    # Units are stored as they are spelt, and are the same in any case.
    texts = [pl.col(name).cast(pl.String) for name in identity]
    last = pl.col("row_number").max().over([as_comparison_key(text) for text in texts])
    marked = accepted.with_columns(stands=last)
    written = pl.concat_str([text.fill_null("") for text in texts], separator=", ")
    warnings = marked.filter(pl.col("row_number") != pl.col("stands")).select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(", ".join(identity)).alias("column"),
        shown(written).alias("value"),
        pl.format("row {} repeats it and is the one that counts", "stands").alias("reason"),
    )
    kept = marked.filter(pl.col("row_number") == pl.col("stands")).drop("stands")
    return kept, merged_rejections([warnings])
