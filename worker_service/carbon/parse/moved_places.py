"""Finds places of a file that are far from where they are known to be."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.great_circle import great_circle_km
from worker_service.carbon.parse.row_warnings import with_thousands
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.shipped_places import SHIPPED_BY

# An airport that was built anew lies nearer to the old one.
MOVED_KM = 50.0
_FILE, _FORCE, _SHIPPED = "file", "force", "shipped"
# What may have been done to a place, and how its degrees are had back.
_LATITUDE, _LONGITUDE = pl.col("file_latitude"), pl.col("file_longitude")
_SWAPPED = "latitude and longitude look swapped"
_SLIPS = (
    (_SWAPPED, _LONGITUDE, _LATITUDE),
    ("the sign of its longitude looks wrong", _LATITUDE, -_LONGITUDE),
    ("the sign of its latitude looks wrong", -_LATITUDE, _LONGITUDE),
    ("the signs of both look wrong", -_LATITUDE, -_LONGITUDE),
)


@dataclass(frozen=True, slots=True, eq=False)
class MovedPlaces:
    """`warnings`: row, column, value, reason, in order of row. `swapped`: how many look swapped.

    `righted`: the rows of places that SHIPPED_BY has where the file has them, so that what was in
    force is probably wrong.
    """

    warnings: pl.DataFrame
    swapped: int
    righted: frozenset[int] = frozenset()

    @property
    def doubtful(self) -> pl.DataFrame:
        """The warnings of places that are probably not where the file has them."""
        return self.warnings.filter(~pl.col("row").is_in(self.righted))


def moved_places(
    accepted: pl.DataFrame, in_force: pl.DataFrame, shipped: pl.DataFrame, column: str
) -> MovedPlaces:
    """The places at 0, 0, and those more than MOVED_KM from their stored or well-known place.

    accepted: row_number, code, latitude, longitude. The other frames lack row_number and have each
    code once. `column` is the name of the file's column with the code.
    """
    places = _beside(_beside(_named(accepted, _FILE), in_force, _FORCE), shipped, _SHIPPED)
    for known in (_FORCE, _SHIPPED):
        places = places.with_columns(great_circle_km(_FILE, known).alias(f"{known}_km"))
    at_zero = (_LATITUDE == 0) & (_LONGITUDE == 0)
    by_force, by_shipped = _moved(_FORCE), _moved(_SHIPPED)
    found = places.filter(at_zero | by_force | by_shipped)
    if found.is_empty():
        return MovedPlaces(merged_rejections([]), 0)
    slips = found.with_columns(
        _slips(found, _FORCE).alias("of_force"), _slips(found, _SHIPPED).alias("of_shipped")
    ).with_columns(slip=pl.when(by_force).then("of_force").otherwise("of_shipped"), zero=at_zero)
    reason = (
        pl.when("zero")
        .then(pl.format("{} lies at 0, 0, where no place is: are its degrees missing?", _code()))
        .when(by_force)
        .then(_place(_FORCE, "it is now"))
        .otherwise(_place(_SHIPPED, f"{SHIPPED_BY} has it"))
    )
    warnings = slips.select(
        pl.col("row_number").cast(pl.Int64).alias("row"),
        pl.lit(column).alias("column"),
        _code().alias("value"),
        reason.alias("reason"),
    )
    righted = slips.filter(_is_righted() & ~pl.col("zero"))["row_number"].to_list()
    swapped = (pl.col("slip") == _SWAPPED) & ~pl.col("zero") & ~_is_righted()
    return MovedPlaces(
        merged_rejections([warnings]),
        int(slips.select(swapped.sum()).item()),
        frozenset(righted),
    )


def _is_righted() -> pl.Expr:
    return (_moved(_FORCE) & (pl.col("shipped_km") <= MOVED_KM)).fill_null(value=False)


def _code() -> pl.Expr:
    return pl.col("code").str.to_uppercase()


def _named(places: pl.DataFrame, whose: str) -> pl.DataFrame:
    return places.rename({name: f"{whose}_{name}" for name in ("latitude", "longitude")})


def _beside(places: pl.DataFrame, known: pl.DataFrame, whose: str) -> pl.DataFrame:
    columns = _named(known.select("code", "latitude", "longitude"), whose)
    return places.join(columns, on="code", how="left", maintain_order="left")


def _moved(known: str) -> pl.Expr:
    return (pl.col(f"{known}_km") > MOVED_KM).fill_null(value=False)


def _place(known: str, where: str) -> pl.Expr:
    at = pl.format("{}, {}", pl.col(f"{known}_latitude"), pl.col(f"{known}_longitude"))
    far = pl.format(
        f"{{}} lies {{}} km from where {where} ({{}})",
        *(_code(), with_thousands(pl.col(f"{known}_km").round(0)), at),
    )
    hint = pl.col("slip")
    if known == _FORCE:
        is_right = pl.lit(f"{SHIPPED_BY} has it here, too")
        hint = pl.when(_is_righted()).then(is_right).otherwise(hint)
    return pl.concat_str(far, hint.fill_null("is that correct?"), separator=": ")


def _slips(places: pl.DataFrame, known: str) -> pl.Series:
    """What brings each place within MOVED_KM of where it is known to be; null for nothing."""
    words = pl.lit(None, pl.String)
    for at, (slip, latitude, longitude) in reversed(list(enumerate(_SLIPS))):
        places = places.with_columns(
            latitude.alias(f"{at}_latitude"), longitude.alias(f"{at}_longitude")
        )
        is_it = great_circle_km(str(at), known) <= MOVED_KM
        words = pl.when(is_it).then(pl.lit(slip)).otherwise(words)
    return places.select(words.alias("slip")).to_series()
