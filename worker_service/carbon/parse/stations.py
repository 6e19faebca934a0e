"""Stations of one name and country in a file: one station, or several that lie apart."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.csv_source.shown import shown
from worker_service.carbon.great_circle import great_circle_km
from worker_service.carbon.parse.row_warnings import with_thousands
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.values import as_comparison_key
from worker_service.carbon.place_keys import SAME_PLACE_KM, key_apart, place_key


@dataclass(frozen=True, slots=True, eq=False)
class Stations:
    """`stations`: the accepted rows with their `code`. `warnings`: row, column, value, reason."""

    stations: pl.DataFrame
    warnings: pl.DataFrame


def read_stations(accepted: pl.DataFrame) -> Stations:
    """Gives each station the code by which trips name it, its name and country.

    accepted: row_number, name, country, latitude, longitude. Of stations with one code the first
    row counts for all within SAME_PLACE_KM of it. Others keep a code of their own, so that trips
    that name them are ambiguous; each is warned of.
    """
    keyed = accepted.sort("row_number").with_columns(
        name_key=as_comparison_key(pl.col("name")), country_key=as_comparison_key(pl.col("country"))
    )
    first = (pl.col(name).first().over("key") for name in ("row_number", "latitude", "longitude"))
    placed = (
        keyed.with_columns(key=place_key(("name_key", "country_key")))
        .with_columns(column.name.prefix("first_") for column in first)
        .rename({name: f"own_{name}" for name in ("latitude", "longitude")})
        .with_columns(km=great_circle_km("own", "first"))
        .rename({f"own_{name}": name for name in ("latitude", "longitude")})
    )
    is_first = pl.col("row_number") == pl.col("first_row_number")
    apart = pl.col("km") > SAME_PLACE_KM
    code = pl.when(apart).then(key_apart(pl.col("key"))).otherwise("key")
    stations = placed.filter(is_first | apart).with_columns(code=code)
    return Stations(stations.unique("code", keep="first", maintain_order=True), _apart(placed))


def _apart(placed: pl.DataFrame) -> pl.DataFrame:
    """Warns of stations that share name and country with one that lies elsewhere."""
    several = placed.filter(pl.col("km") > SAME_PLACE_KM)
    warnings = several.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit("name").alias("column"),
        shown(pl.col("name")).alias("value"),
        pl.format(
            "lies {} km from the station of the same name and country in row {}: trips that name"
            " it have no kilograms until the two have different names",
            with_thousands(pl.col("km").round(0)),
            "first_row_number",
        ).alias("reason"),
    )
    return merged_rejections([warnings])
