"""Codes that people write for airports but that are not airports: of cities, and retired ones."""

from functools import cache
from pathlib import Path

import polars as pl

# Cities: the metropolitan areas of airportsdata that are no airports, and what else belongs to
# them. Retired: what older releases of airportsdata had, with what took its place where the same
# ICAO code or a place within 1 km says it, or the airport is known to have moved.
_CODES = Path(__file__).with_name("airport_codes.csv")
_AIRPORTS_NAMED = 3


def cities() -> pl.DataFrame:
    """A frame with the columns code (as keys are stored) and airports, the first ones of a city."""
    codes = _codes().filter(pl.col("kind") == "city")
    return codes.select(pl.col("code").str.to_lowercase(), _named().alias("airports"))


@cache
def airport_hints() -> pl.DataFrame:
    """A frame with the columns code (as keys are stored) and hint (what to write instead)."""
    codes = _codes()
    city = pl.format("{} is a city ({}): name the airport", "code", _named())
    moved = pl.format("{} is retired: {} took its place", "code", "airports")
    gone = pl.format("{} ({}) is retired: load its place or name another airport", "code", "name")
    hint = (
        pl.when(pl.col("kind") == "city")
        .then(city)
        .when(pl.col("airports").is_not_null())
        .then(moved)
        .otherwise(gone)
    )
    return codes.select(pl.col("code").str.to_lowercase(), hint.alias("hint"))


def _codes() -> pl.DataFrame:
    return pl.read_csv(_CODES, schema_overrides={"airports": pl.String})


def _named() -> pl.Expr:
    """The airports of a code, such as "LHR, LGW, LCY, ..."."""
    airports = pl.col("airports").str.split(" ")
    more = (
        pl.when(airports.list.len() > _AIRPORTS_NAMED).then(pl.lit(", ...")).otherwise(pl.lit(""))
    )
    return pl.concat_str(airports.list.head(_AIRPORTS_NAMED).list.join(", "), more)
