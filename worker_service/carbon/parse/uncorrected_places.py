"""Finds places of a file that are where a well-known list wrongly has them."""

import polars as pl

from worker_service.carbon.great_circle import great_circle_km
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.shipped_places import SHIPPED_BY

# Lists round degrees differently. A corrected place is several km away.
SAME_KM = 1.0
CORRECTED = {
    "code": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
    "reason": pl.String,
    "source": pl.String,
}


def uncorrected_places(
    accepted: pl.DataFrame, shipped: pl.DataFrame, corrected: pl.DataFrame, column: str
) -> pl.DataFrame:
    """row, column, value, reason of places within SAME_KM of a shipped place that is wrong.

    accepted: row_number, code, latitude, longitude. shipped: code, latitude, longitude, as
    published. corrected: CORRECTED, the right places of some of them, the reason why the shipped
    one is wrong, and the source. `column` is the name of the file's column with the code.
    """
    places = (
        _renamed(accepted, "file")
        .join(_renamed(shipped, "shipped"), on="code")
        .join(_renamed(corrected, "right"), on="code")
        .with_columns(
            great_circle_km("file", "shipped").alias("shipped_km"),
            great_circle_km("file", "right").alias("right_km"),
        )
        .filter((pl.col("shipped_km") <= SAME_KM) & (pl.col("right_km") > SAME_KM))
    )
    code = pl.col("code").str.to_uppercase()
    reason = pl.format(
        f"{{}} is where {SHIPPED_BY} has it, {{}} km from the right place: {{}}."
        " The right place is {}, {} ({}); without a file, carbonline load locations loads it",
        *(code, pl.col("right_km").round(0).cast(pl.Int64), "reason"),
        *("right_latitude", "right_longitude", "source"),
    )
    warnings = places.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(column).alias("column"),
        code.alias("value"),
        reason.alias("reason"),
    )
    return merged_rejections([warnings])


def _renamed(places: pl.DataFrame, whose: str) -> pl.DataFrame:
    return places.rename({name: f"{whose}_{name}" for name in ("latitude", "longitude")})
