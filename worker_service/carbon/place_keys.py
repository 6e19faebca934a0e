"""Keys of places: the code of an airport, or the name and country of a station."""

import polars as pl

# Two stations of one name and country no further apart are one: lists of several operators differ.
SAME_PLACE_KM = 2.0
# Between the parts of a key.
KEY_SEPARATOR = ", "
# Behind the key of a place: where another one of the same name and country is.
_WHERE = r" @ -?\d+\.\d+ -?\d+\.\d+$"


def place_key(columns: tuple[str, ...]) -> pl.Expr:
    """The key of a place from the columns that identify it. Null if one of them is null."""
    return pl.concat_str(columns, separator=KEY_SEPARATOR)


def shown_place(columns: tuple[str, ...]) -> pl.Expr:
    """A place as people write it: GVA, or Geneva, CH."""
    *names, code = columns
    shown = [pl.col(name).str.to_titlecase() for name in names]
    return pl.concat_str([*shown, pl.col(code).str.to_uppercase()], separator=KEY_SEPARATOR)


def country_of_trip(origin: str, destination: str) -> pl.Expr:
    """The country whose factor a trip between two countries has, by their columns.

    CH if both are, else the destination's if that is not CH, else the origin's.
    """
    at_home = pl.col(destination) == "ch"
    return pl.when(at_home).then(pl.col(origin)).otherwise(pl.col(destination))


def key_apart(key: pl.Expr) -> pl.Expr:
    """The key of a place that shares its name and country with one that lies elsewhere."""
    return pl.format("{} @ {} {}", key, pl.col("latitude").round(4), pl.col("longitude").round(4))


def shared_key(code: pl.Expr) -> pl.Expr:
    """The key without what `key_apart` adds to it."""
    return code.str.replace(_WHERE, "")
