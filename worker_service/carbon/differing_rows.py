"""Rows of several files that add to each other: the same unit, place or key with other values."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.byte_stream import Open
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.file_mapping import FileMapping
from worker_service.carbon.parse.reference_rows import read_reference_rows
from worker_service.carbon.parse.references import PARENT_COLUMN, read_locations, read_units
from worker_service.carbon.parse.tables import ParsedTable
from worker_service.carbon.parse.values import as_comparison_key
from worker_service.carbon.reference_kinds import REFERENCE_KINDS

# More are not told; who corrects these meets the others.
DIFFERENCES_MAX = 20
UNITS = "units"
_VALUES = {
    UNITS: ("name", PARENT_COLUMN),
    "locations": ("name", "country", "latitude", "longitude"),
}
_DATA = ("data",)
# Of a column that the file lacks: a load leaves what is there. A cell has no such character.
_NOT_SAID = "\0"


@dataclass(frozen=True, slots=True)
class RowsOfFile:
    """A file of `kind`: "units", "locations", or a kind of rows. `of` is the transport mode of
    places. `name` is what people call the file.
    """

    name: str
    kind: str
    of: str
    open: Open
    mapping: FileMapping


@dataclass(frozen=True, slots=True)
class Difference:
    """Two rows with one key. `values` are pairs of a column and its two values, as texts."""

    key: str
    first: RowsOfFile
    first_row: int
    second: RowsOfFile
    second_row: int
    values: Sequence[tuple[str, str, str]]


def differing_rows(files: Sequence[RowsOfFile]) -> list[Difference]:
    """The first DIFFERENCES_MAX rows of these files, all of one kind, that cannot both stand.

    A file that cannot be read is left out: its job says why. Files are read one after the other,
    and of each only keys and values are held, once for files that say the same. Blocks.
    """
    found: list[Difference] = []
    seen: pl.DataFrame | None = None
    for number, file in enumerate(files):
        try:
            rows = _rows(file).with_columns(file=pl.lit(number, pl.UInt32))
        except RefusedFile:
            continue
        if seen is None:
            seen = rows
            continue
        found += _differences(files, seen, rows, DIFFERENCES_MAX - len(found))
        if len(found) == DIFFERENCES_MAX:
            break
        same = [name for name in rows.columns if name not in ("row_number", "file")]
        seen = pl.concat([seen, rows]).unique(same, keep="first", maintain_order=True)
    return found


def _rows(file: RowsOfFile) -> pl.DataFrame:
    """key, row_number, and the values as texts. The last row of a key stands, as in a load."""
    table = _read(file)
    columns = _VALUES.get(file.kind, _DATA)
    key = as_comparison_key(pl.col("unit_id")) if file.kind == UNITS else _key_of(table)
    values = [pl.col(name).cast(pl.String) for name in columns]
    if file.kind == UNITS:
        # Parents are ids, which are the same in any case.
        above = as_comparison_key(pl.col(PARENT_COLUMN)).alias(PARENT_COLUMN)
        is_said = PARENT_COLUMN in table.originals.header.given
        values[1] = above if is_said else pl.lit(_NOT_SAID).alias(PARENT_COLUMN)
    return table.accepted.select(key.alias("key"), "row_number", *values)


def _key_of(table: ParsedTable) -> pl.Expr:
    return pl.col("key" if "key" in table.accepted.columns else "code")


def _read(file: RowsOfFile) -> ParsedTable:
    if file.kind == UNITS:
        return read_units(file.open, file.mapping)
    if kind := REFERENCE_KINDS.get(file.kind):
        return read_reference_rows(kind, file.open, file.mapping)
    return read_locations(file.of, file.open, file.mapping)


def _differences(
    files: Sequence[RowsOfFile], seen: pl.DataFrame, rows: pl.DataFrame, most: int
) -> Iterator[Difference]:
    columns = [name for name in seen.columns if name not in ("key", "row_number", "file")]
    both = rows.join(seen, on="key", suffix="_seen", maintain_order="left")
    differs = [
        pl.col(name).ne_missing(pl.col(f"{name}_seen"))
        & (pl.col(name).fill_null("") != _NOT_SAID)
        & (pl.col(f"{name}_seen").fill_null("") != _NOT_SAID)
        for name in columns
    ]
    # One row may differ from those of several files.
    differing = both.filter(pl.any_horizontal(differs)).unique("key", maintain_order=True)
    for one in differing.head(most).iter_rows(named=True):
        values = {name: (one[f"{name}_seen"], one[name]) for name in columns}
        yield Difference(
            shown_text(one["key"]),
            files[one["file_seen"]],
            one["row_number_seen"],
            files[one["file"]],
            one["row_number"],
            [*_pairs(values)],
        )


def _pairs(
    values: dict[str, tuple[str | None, str | None]],
) -> Iterator[tuple[str, str, str]]:
    if data := values.get("data"):
        one, other = (json.loads(text or "{}") for text in data)
        values = {name: (one.get(name), other.get(name)) for name in {**one, **other}}
    for name, (before, after) in values.items():
        if before != after and _NOT_SAID not in (before, after):
            first, second = (shown_text("" if one is None else str(one)) for one in (before, after))
            yield name, first, second
