"""Converts entries to the form in which the ledger stores them, a JSON object, and back."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import OVERRIDE_KEY, Column, ColumnKind, DataEntryType

_TYPES: dict[ColumnKind, type[pl.DataType]] = {
    ColumnKind.TEXT: pl.String,
    ColumnKind.NUMBER: pl.Float64,
    ColumnKind.INTEGER: pl.Int64,
    ColumnKind.DATE: pl.String,
    ColumnKind.CHOICE: pl.String,
}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key of an entry's JSON object, and the Polars type of its values."""

    key: str
    dtype: type[pl.DataType]


def dtype_of(column: Column) -> type[pl.DataType]:
    """The Polars type of a column's values in their stored form."""
    return _TYPES[column.kind]


def stored_keys(declaration: DataEntryType) -> tuple[StoredKey, ...]:
    """The keys that `compute` reads: those of the declared columns, and the override."""
    own = tuple(StoredKey(column.name, dtype_of(column)) for column in declaration.columns)
    return (*own, StoredKey(OVERRIDE_KEY, pl.Float64))


def stored_entries(declaration: DataEntryType, accepted: pl.DataFrame) -> pl.DataFrame:
    """Converts accepted rows to row_number i32, unit and data, a JSON text without nulls.

    kg_co2eq becomes the override, under its reserved key. 0 is a value too.
    """
    columns = [_storable(column) for column in declaration.columns]
    fields = accepted.select(*columns, "note", pl.col("kg_co2eq").alias(OVERRIDE_KEY))
    return accepted.select("row_number", "unit", json_objects(fields).alias("data"))


def with_spellings(stored: pl.DataFrame, spellings: pl.DataFrame | None) -> pl.DataFrame:
    """Stored rows with the texts of codes added to `data`, for people; nothing is computed of them.

    `spellings` has row_number and the texts under their keys, null where there is none.
    """
    if spellings is None:
        return stored
    added = spellings.select(
        "row_number",
        json_objects(spellings.drop("row_number")).str.strip_prefix("{").alias("added"),
    )
    joined = stored.join(added, on="row_number", how="left", maintain_order="left")
    # No row without a code is empty, so something stands before the comma.
    longer = pl.col("data").str.strip_suffix("}") + "," + pl.col("added")
    return joined.with_columns(data=pl.coalesce(longer, "data")).drop("added")


def entries_from_stored(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Converts entry_set, row_number, unit and data (JSON text) to the frame for `compute`."""
    shape = pl.Struct({stored.key: stored.dtype for stored in stored_keys(declaration)})
    fields = [*(column.field for column in declaration.columns), OVERRIDE_KEY]
    data = pl.col("data").str.json_decode(shape).struct.rename_fields(fields)
    return stored.with_columns(data).unnest("data")


def stored_again(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Stored rows with `data` as `stored_entries` wrote it: PostgreSQL writes jsonb its own way."""
    *own, override = stored_keys(declaration)
    written = (*own, StoredKey("note", pl.String), override)
    shape = pl.Struct({one.key: one.dtype for one in written})
    fields = stored.select(pl.col("data").str.json_decode(shape)).unnest("data")
    return stored.with_columns(json_objects(fields).alias("data"))


def json_objects(fields: pl.DataFrame) -> pl.Series:
    """One JSON object per row, without the keys whose value is null."""
    used = [name for name in fields.columns if fields[name].null_count() < fields.height]
    if not used:
        return pl.Series("data", ["{}"] * fields.height, dtype=pl.String)
    json = pl.struct(used).struct.json_encode()
    for name in used:
        if fields[name].null_count() > 0:
            json = _without_null(json, name)
    return fields.select(json.alias("data")).to_series()


def _without_null(json: pl.Expr, name: str) -> pl.Expr:
    # Inside a JSON string every quote has a backslash before it, so none of these texts can be
    # part of a value.
    for text, kept in (
        (f',"{name}":null', ""),
        (f'{{"{name}":null,', "{"),
        (f'{{"{name}":null}}', "{}"),
    ):
        json = json.str.replace(text, kept, literal=True)
    return json


def _storable(column: Column) -> pl.Expr:
    value = pl.col(column.field)
    is_date = column.kind is ColumnKind.DATE
    return (value.dt.to_string("iso") if is_date else value).alias(column.name)


def factors_from_stored(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Converts stored factors, with JSON texts, to the frame of factors for `compute`."""
    of_factor = declaration.factors
    classification = pl.Struct({c.name: dtype_of(c) for c in of_factor.classification})
    values = pl.Struct({column.name: dtype_of(column) for column in of_factor.values})
    return stored.with_columns(
        pl.col("classification").str.json_decode(classification),
        pl.col("values").str.json_decode(values),
    ).unnest("classification", "values")
