"""Writes rows as JSON, CSV, .xlsx or Parquet."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, BinaryIO, TypeAlias

import click

from carbonline.command.columns import Column, Row, Value, joined
from carbonline.command.safe_text import escaped
from carbonline.extras import lacks

# What stands beside the rows: a year, a sum, whether there are more.
About: TypeAlias = Mapping[str, "Value | Row | Sequence[Row]"]

# What a spreadsheet can hold, and up to where its numbers count by ones.
XLSX_ROWS_MAX = 1_048_575
XLSX_INTEGER_MAX = 10**15
XLSX_TEXT_MAX = 32_767
# How a formula begins for a spreadsheet, which would run it; plain numbers may begin alike.
_FORMULA = re.compile(r"[=+\-@\t\r]")
_QUOTED = re.compile('[",\r\n]')
_PLAIN_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write_json(
    columns: Sequence[Column], rows: Iterable[Row], about: About, file: BinaryIO
) -> None:
    """Write an object: `rows`, one per line, then the keys of `about`. Unknown values are null.

    Decimals are numbers with all digits. Times are ISO 8601 in UTC.
    """
    keys = [column.name for column in columns if column.in_files]
    lines = (_json({key: row.get(key) for key in keys}) for row in rows)
    file.write(b'{\n  "rows": [')
    separator = "\n    "
    for line in lines:
        file.write(f"{separator}{line}".encode())
        separator = ",\n    "
    file.write(b"\n  ]" if separator.startswith(",") else b"]")
    file.writelines(
        f",\n  {json.dumps(key)}: {_json(value)}".encode() for key, value in about.items()
    )
    file.write(b"\n}\n")


def _json(value: Any) -> str:
    # What a terminal obeys may stand in texts alone, and there an escape means the same.
    return escaped(_json_text(value), "\\u{:04x}")


def _json_text(value: Any) -> str:
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime():
            return json.dumps(iso(value))
        case str() | bool() | int() | float() | None:
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
        case Mapping():
            inner = (f"{_json_text(str(key))}: {_json_text(value[key])}" for key in value)
            return f"{{{', '.join(inner)}}}"
        case _:
            return f"[{', '.join(map(_json_text, value))}]"


def write_csv(columns: Sequence[Column], rows: Iterable[Row], file: BinaryIO) -> None:
    """Write a header and one line per row, in UTF-8. No text is a formula to a spreadsheet."""
    keys = [column.name for column in columns if column.in_files]
    file.write(f"{','.join(keys)}\n".encode())
    lines = (",".join(_csv_field(row.get(key)) for key in keys) for row in rows)
    file.writelines(f"{line}\n".encode() for line in lines)


def _csv_field(value: Value) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Decimal():
            return f"{value:f}"
        case datetime():
            return iso(value)
        case _:
            return _quoted(_inert(_text(value)))


def _quoted(text: str) -> str:
    # The standard library leaves a lone carriage return bare, which ends a row for many readers.
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def _text(value: Value) -> str:
    return _json(value) if isinstance(value, Mapping) else joined(value)


def _inert(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would take it for a formula."""
    runs = _FORMULA.match(text) and not _PLAIN_NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def write_xlsx(columns: Sequence[Column], rows: Sequence[Row], file: BinaryIO) -> None:
    """Write one sheet with a header. Texts stay texts: none becomes a formula or a link."""
    # Who asks for no spreadsheet waits for no library.
    import xlsxwriter  # noqa: PLC0415

    if len(rows) > XLSX_ROWS_MAX:
        raise click.UsageError(
            f"A spreadsheet holds {XLSX_ROWS_MAX:,} rows, and these are {len(rows):,}: write a "
            ".csv or .parquet file."
        )
    shown = [column for column in columns if column.in_files]
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    with _made_in_memory(file) as made:
        book = xlsxwriter.Workbook(made, options)
        sheet = book.add_worksheet("carbonline")
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for n, column in enumerate(shown):
            sheet.write_string(0, n, column.name, bold)
            for m, row in enumerate(rows, start=1):
                _write_cell(sheet, m, n, row.get(column.name))
        sheet.autofit()
        book.close()


@contextmanager
def _made_in_memory(file: BinaryIO) -> Iterator[BinaryIO]:
    """For libraries that write by themselves: their errors of a full disk are none of the system's,
    and they complain again when the interpreter ends.
    """
    made = io.BytesIO()
    yield made
    file.write(made.getbuffer())


def _write_cell(sheet: Any, row: int, column: int, value: Value) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() if abs(value) > XLSX_INTEGER_MAX:
            sheet.write_string(row, column, str(value))
        case int() | float() | Decimal():
            sheet.write_number(row, column, value)
        case datetime():
            # A spreadsheet knows no zones: its moments are in UTC, as everywhere.
            sheet.write_datetime(row, column, value.replace(tzinfo=None))
        case _:
            sheet.write_string(row, column, _text(value)[:XLSX_TEXT_MAX])


def write_parquet(columns: Sequence[Column], rows: Sequence[Row], file: BinaryIO) -> None:
    """Write the columns with their types. Decimals become doubles.

    Raises click.UsageError without polars.
    """
    if lacking := lacks("frames", "A Parquet file"):
        raise click.UsageError(lacking)
    import polars as pl  # noqa: PLC0415

    keys = [column.name for column in columns if column.in_files]
    frame = pl.DataFrame(
        {key: [_parquet_value(row.get(key)) for row in rows] for key in keys}, strict=False
    )
    with _made_in_memory(file) as made:
        frame.write_parquet(made)


def _parquet_value(value: Value) -> Any:
    match value:
        case Decimal():
            return float(value)
        case None | str() | bool() | int() | float() | datetime():
            return value
        case _:
            return _text(value)


def iso(moment: datetime) -> str:
    """A time as ISO 8601 in UTC, such as 2024-03-31T09:15:00Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def in_order(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The value with the keys of all maps sorted: maps of the wire have no order."""
    return {
        name: in_order(value) if isinstance(value, Mapping) else value
        for name, value in sorted(values.items())
    }
