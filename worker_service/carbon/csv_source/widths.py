"""Fits records with more or fewer fields than the header, if that loses no value."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.other_separator import wide_reason
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.csv_source.swallowed_rows import swallowed_reason

REJECTED = {"row": pl.Int64, "column": pl.String, "value": pl.String, "reason": pl.String}
# So many fields more than the header has are looked at one by one.
SURPLUS_MAX = 64


@dataclass(frozen=True, slots=True)
class WideRecord:
    """A record with values beyond the header's columns. Its last field may hold several."""

    row: int
    fields: list[str]
    field_count: int


def fitted(
    records: list[list[str]], width: int, row: int
) -> tuple[list[list[str]], list[WideRecord]]:
    """Every record at the header's width, and those that do not fit, which are blank in the first.

    Fields that lack at the end are empty; surplus ones go where they are empty.
    """
    wide = []
    fitting = []
    for at, record in enumerate(records, row):
        if any(field.strip() for field in record[width:]):
            wide.append(WideRecord(at, record, len(record)))
            fitting.append([""] * width)
        else:
            fitting.append([*record[:width], *[""] * (width - len(record))])
    return fitting, wide


def without_the_widest(
    block: bytes, width: int, separator: str, row: int
) -> tuple[bytes, list[WideRecord]]:
    """Lines of more than SURPLUS_MAX surplus fields: cut where those are empty, else left out."""
    mark, most = separator.encode(), width + SURPLUS_MAX
    wide: list[WideRecord] = []
    lines = block.split(b"\n")
    for at, line in enumerate(lines):
        count = line.count(mark) + 1
        if count <= most:
            continue
        lines[at] = line.rstrip(mark + b" \t")
        if lines[at].count(mark) >= most:
            wide.append(WideRecord(row + at, line.decode().split(separator, most), count))
            lines[at] = b""
    return b"\n".join(lines), wide


def fitted_frame(
    frame: pl.DataFrame, width: int, mark: str
) -> tuple[pl.DataFrame, list[WideRecord], pl.DataFrame]:
    """Columns "0", "1", ... of unquoted lines, each ended by `mark`; `row_number` is the last.

    Returns the rows at the header's width, those that do not fit, and row_number and `fields` of
    the fitting rows that had fewer or more fields.
    """
    columns = [name for name in frame.columns if name != "row_number"]
    fields = pl.coalesce(
        pl.when(pl.col(name) == mark).then(pl.lit(at)) for at, name in enumerate(columns)
    )
    counted = frame.with_columns(fields.alias("fields")).with_columns(
        pl.when(pl.col(name) != mark).then(pl.col(name)).alias(name) for name in columns
    )
    beyond = [pl.col(name).str.strip_chars().fill_null("") != "" for name in columns[width:]]
    is_wide = pl.any_horizontal(pl.lit(value=False), *beyond)
    wide = [
        WideRecord(number, [field or "" for field in record[:count]], count)
        for *record, number, count in counted.filter(is_wide).rows()
    ]
    fitting = counted.filter(~is_wide)
    others = fitting.filter(pl.col("fields") != width).select("row_number", "fields")
    return fitting.select(*columns[:width], "row_number"), wide, others


def rejected_for_width(records: list[WideRecord], width: int, separator: str) -> pl.DataFrame:
    """The rejections of wide records: row, column, value, reason."""
    rows = [
        (
            record.row,
            "",
            shown_text(separator.join(record.fields)),
            swallowed_reason(record.fields, width, separator)
            or wide_reason(record.fields, width, separator)
            or _width_reason(record, width),
        )
        for record in records
    ]
    return pl.DataFrame(rows, schema=REJECTED, orient="row")


def _width_reason(record: WideRecord, width: int) -> str:
    reason = f"{record.field_count:,} fields, and the header has {width:,}"
    fields = [field.strip() for field in record.fields]
    opened = [at for at, field in enumerate(fields) if field[:1] == "'" and field[-1:] != "'"]
    closed = [at for at, field in enumerate(fields) if field[-1:] == "'" and field[:1] != "'"]
    if opened and closed and opened[0] < closed[-1]:
        reason += "; single quotes keep no field together: write double quotes"
    return reason


def without_blank(frame: pl.DataFrame) -> pl.DataFrame:
    """Drops blank records, which spreadsheets leave behind."""
    empty = [
        pl.col(name).str.strip_chars().fill_null("") == ""
        for name in frame.columns
        if name != "row_number"
    ]
    if not frame.select(empty[0].any()).item():
        return frame
    return frame.filter(~pl.all_horizontal(empty))
