"""Converts entries to the form in which the ledger stores them, and back.

In frames of stored entries, values have the names that `compute` reads, texts and numbers as the
ledger has them, and `extra` is the JSON object of what has no column of its own.
"""

from collections.abc import Mapping
from typing import TypeAlias

import polars as pl

from worker_service.carbon.declarations import (
    OVERRIDE_KEY,
    Column,
    ColumnKind,
    DataEntryType,
    field_of,
)
from worker_service.carbon.entry_layout import NOTE, layout_of

# Keys of entries, with the types of their values.
Keys: TypeAlias = Mapping[str, type[pl.DataType]]

_TYPES: dict[ColumnKind, type[pl.DataType]] = {
    ColumnKind.TEXT: pl.String,
    ColumnKind.NUMBER: pl.Float64,
    ColumnKind.INTEGER: pl.Int64,
    ColumnKind.DATE: pl.String,
    ColumnKind.CHOICE: pl.String,
}


def dtype_of(column: Column) -> type[pl.DataType]:
    """The Polars type of a column's values when they are read again."""
    return _TYPES[column.kind]


def stored_keys(declaration: DataEntryType) -> Keys:
    """The keys that `compute` reads, with their types: the declared columns, and the override."""
    own = {column.name: dtype_of(column) for column in declaration.columns}
    return {**own, OVERRIDE_KEY: pl.Float64}


def stored_entries(declaration: DataEntryType, accepted: pl.DataFrame) -> pl.DataFrame:
    """Converts accepted rows to row_number i32, unit, the columns of `layout_of`, and extra.

    kg_co2eq becomes the override, under its reserved key. 0 is a value too.
    """
    values = accepted.with_columns(
        *(_storable(column) for column in declaration.columns),
        pl.col("kg_co2eq").alias(OVERRIDE_KEY),
    )
    return _laid_out(declaration, values)


def with_spellings(stored: pl.DataFrame, spellings: pl.DataFrame | None) -> pl.DataFrame:
    """Stored rows with the texts of codes added to `extra`, for people; no formula reads them.

    `spellings` has row_number and the texts under their keys, null where there is none.
    """
    if spellings is None:
        return stored
    added = spellings.select(
        "row_number", json_objects(spellings.drop("row_number")).alias("added")
    )
    joined = stored.join(added, on="row_number", how="left", maintain_order="left")
    both = pl.col("extra").str.strip_suffix("}") + "," + pl.col("added").str.strip_prefix("{")
    return joined.with_columns(extra=pl.coalesce(both, "extra", "added")).drop("added")


def entries_from_stored(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Converts entry_set, row_number, unit and the values to the frame for `compute`."""
    keys = stored_keys(declaration)
    values = _with_extra(stored, keys)
    types = [pl.col(field_of(key)).cast(dtype) for key, dtype in keys.items()]
    return values.select("entry_set", "row_number", "unit", *types)


def stored_again(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Stored rows as `stored_entries` makes them today, without texts of codes."""
    keys: Keys = {**stored_keys(declaration), NOTE: pl.String}
    return _laid_out(declaration, _with_extra(stored, keys))


def _with_extra(stored: pl.DataFrame, keys: Keys) -> pl.DataFrame:
    """Stored rows, with a column for each key that stands in `extra` alone."""
    missing = {key: dtype for key, dtype in keys.items() if field_of(key) not in stored.columns}
    if not missing:
        return stored
    if stored["extra"].null_count() == stored.height:
        nulls = (pl.lit(None, dtype).alias(field_of(key)) for key, dtype in missing.items())
        return stored.with_columns(*nulls)
    fields = [field_of(key) for key in missing]
    extra = pl.col("extra").str.json_decode(pl.Struct(missing)).struct.rename_fields(fields)
    return stored.with_columns(extra).unnest("extra")


def _laid_out(declaration: DataEntryType, values: pl.DataFrame) -> pl.DataFrame:
    """row_number, unit, the columns of `layout_of`, and extra with the keys beyond it."""
    laid_out = layout_of(declaration).schema
    keys = (*(column.name for column in declaration.columns), NOTE, OVERRIDE_KEY)
    beyond = [key for key in keys if field_of(key) not in laid_out]
    extra: pl.Expr | pl.Series = pl.lit(None, pl.String)
    if beyond:
        objects = json_objects(values.select(pl.col(field_of(key)).alias(key) for key in beyond))
        extra = objects.replace("{}", None)
    columns = (pl.col(field).cast(dtype) for field, dtype in laid_out.items())
    return values.select("row_number", "unit", *columns, extra.alias("extra"))


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
    return (value.dt.to_string("iso") if is_date else value).alias(column.field)


def factors_from_stored(declaration: DataEntryType, stored: pl.DataFrame) -> pl.DataFrame:
    """Converts stored factors, with JSON texts, to the frame of factors for `compute`."""
    of_factor = declaration.factors
    classification = pl.Struct({c.name: dtype_of(c) for c in of_factor.classification})
    values = pl.Struct({column.name: dtype_of(column) for column in of_factor.values})
    return stored.with_columns(
        pl.col("classification").str.json_decode(classification),
        pl.col("values").str.json_decode(values),
    ).unnest("classification", "values")
