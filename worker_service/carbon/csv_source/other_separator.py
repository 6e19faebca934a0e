"""Rows whose fields are separated otherwise than the header's columns: told as that."""

from collections.abc import Sequence

import polars as pl

from worker_service.carbon.csv_source.shown import shown

SEPARATORS = (",", ";", "\t")
# Databases and scripts write them; no file is read with them.
STRANGE_SEPARATORS = ("|", ":", "^", "~", "/", " ")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs"}


def rows_of_another_separator(
    frame: pl.DataFrame, width: int, separator: str, needed: int
) -> list[pl.DataFrame]:
    """row, column, value, reason of the rows that fit under another separator than the header's.

    One frame for each other separator that there is such a row of; none in almost every file.

    frame: columns "0" to `width`, row_number. Such a row lacks some of the `needed` fields, so it
    is bad in any case; its first field holds the other mark, and it has no other field, or as
    many of these marks as the header has of its own.
    """
    fields = [pl.col(str(at)).fill_null("") for at in range(width)]
    found: list[pl.DataFrame] = []
    for other in _others(separator):
        # The first field of such a row holds the first mark; few rows need the closer look.
        has_mark = pl.col("0").str.contains(other, literal=True).fill_null(value=False)
        if width == 1 or not frame.select(has_mark.any()).item():
            continue
        filled = pl.sum_horizontal(
            (field.str.strip_chars() != "").cast(pl.Int64) for field in fields
        )
        marks = pl.sum_horizontal(field.str.count_matches(other, literal=True) for field in fields)
        fits = (filled < needed) & ((filled == 1) | ((marks == width - 1) & (filled <= marks)))
        rows = frame.filter(has_mark).filter(fits)
        if rows.is_empty():
            continue
        written = pl.concat_str(fields, separator=separator).str.strip_chars_end(separator)
        found.append(
            rows.select(
                pl.col("row_number").cast(pl.Int64).alias("row"),
                pl.lit("").alias("column"),
                shown(written).alias("value"),
                pl.lit(row_reason(separator, other)).alias("reason"),
            )
        )
    return found


def wide_reason(fields: Sequence[str], width: int, separator: str) -> str:
    """The same of a row that is wider than the header; "" for any other one."""
    for other in _others(separator):
        marks = sum(field.count(other) for field in fields)
        if width > 1 and marks == width - 1 and fields and other in fields[0]:
            return row_reason(separator, other)
    return ""


def row_reason(separator: str, other: str) -> str:
    """Why such a row is rejected."""
    return f"has {_NAMES[other]} between its fields, and the header has {_NAMES[separator]}"


def other_separator_of(reason: str, separator: str) -> str:
    """The separator that a row's reason tells of; "" where it tells of something else."""
    told = (other for other in _others(separator) if reason == row_reason(separator, other))
    return next(told, "")


def file_reason(separator: str, other: str) -> str:
    """Why a file is refused whose rows are all like that."""
    return (
        f"the header has {_NAMES[separator]} between its columns, and the rows have"
        f" {_NAMES[other]}: use one of them in the whole file"
    )


def strange_separator_reason(mark: str) -> str:
    """Why a file is refused whose columns are separated by one of STRANGE_SEPARATORS."""
    named = "spaces" if mark == " " else f'"{mark}"'
    return (
        f"the header has {named} between its columns: save the file with commas, semicolons or tabs"
    )


def _others(separator: str) -> list[str]:
    return [mark for mark in SEPARATORS if mark != separator]
