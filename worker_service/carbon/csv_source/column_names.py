"""The names of columns as people see them, and in the form in which they are compared."""

from collections.abc import Iterable

import polars as pl

from worker_service.carbon.csv_source.invisible import as_seen
from worker_service.carbon.csv_source.spreadsheet_text import unmarked_text


def names_as_seen(fields: Iterable[str]) -> list[str]:
    """The names on one line each: without quotes, invisible characters, marks for spreadsheets."""
    names = list(fields)
    if not all(map(str.isascii, names)):
        written = pl.DataFrame({"name": names})
        names = written.select(as_seen(pl.first())).to_series().to_list()
    return list(map(_bare, names))


def name_as_seen(field: str) -> str:
    """`names_as_seen` for one name."""
    [name] = names_as_seen([field])
    return name


def compared_names(fields: Iterable[str]) -> list[str]:
    """The names of columns in the form in which they are compared."""
    return [name.casefold() for name in names_as_seen(fields)]


def on_one_line(text: str) -> str:
    """The text with one blank for each run of white space: a cell of a header may have lines."""
    return " ".join(text.split())


def _bare(name: str) -> str:
    return unmarked_text(on_one_line(name)).strip('"').strip()
