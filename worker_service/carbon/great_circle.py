"""The distance between two places of the reference data."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import References
from worker_service.carbon.lookalikes import code_hints
from worker_service.carbon.outcomes import EntryOutcome, doubt, fail
from worker_service.carbon.place_keys import SAME_PLACE_KM, place_key, shared_key, shown_place
from worker_service.carbon.reported_distance import doubt_of_distance, is_doubtful_distance

# Mean radius of the Earth (IUGG), km.
EARTH_RADIUS_KM = 6371.0088
# By transport mode: the places that were prepared last, and the frame of which they were made.
# A worker computes batch after batch with the frame that it keeps of a tenant.
_PREPARED: dict[str, tuple[pl.DataFrame, pl.DataFrame]] = {}


def great_circle_km(origin: str = "origin", destination: str = "destination") -> pl.Expr:
    """The haversine distance in km, not rounded.

    Reads `<origin>_latitude`, `<origin>_longitude` and the same of the destination, in degrees.
    """
    phi1 = pl.col(f"{origin}_latitude").radians()
    phi2 = pl.col(f"{destination}_latitude").radians()
    half_dlambda = (
        pl.col(f"{destination}_longitude") - pl.col(f"{origin}_longitude")
    ).radians() / 2
    a = ((phi2 - phi1) / 2).sin().pow(2) + phi1.cos() * phi2.cos() * half_dlambda.sin().pow(2)
    # Rounding may lift `a` above 1 for antipodes.
    return 2 * EARTH_RADIUS_KM * a.clip(0, 1).sqrt().arcsin()


@dataclass(frozen=True, slots=True, eq=False)
class TripDistance:
    """Adds `great_circle_km` of a trip between two places.

    `origin` and `destination` name the columns that identify a place: its code, or its name and
    country. Places of one name within SAME_PLACE_KM are one. `reported_km` names the column with
    the reported length of the trip. If it has a value, the places may be any text; if both places
    are known too, an implausible value is doubted. If it has none, and a place is unknown or
    ambiguous, the outcome is unknown_place. `hints` returns a frame of code and hint: what to write
    instead of codes that are not airports.
    """

    transport_mode: str
    noun: str
    origin: tuple[str, ...]
    destination: tuple[str, ...]
    reported_km: str
    hints: Callable[[], pl.DataFrame]

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that identify the two places, and the one with the reported distance."""
        return (*self.origin, *self.destination, self.reported_km)

    def resolve(self, keys: pl.DataFrame, references: References) -> pl.DataFrame:
        """Adds great_circle_km to `keys`. See Lookup.resolve."""
        places = self._places(references["locations"])
        for end, columns in (("origin", self.origin), ("destination", self.destination)):
            column = f"{end}_key"
            keys = keys.with_columns(place_key(columns).alias(column))
            ends = places.rename({name: f"{end}_{name}" for name in places.columns[1:]})
            keys = keys.join(
                ends, left_on=column, right_on="code", how="left", maintain_order="left"
            )
        if not keys.filter(self._unknown()).is_empty():
            # Texts and their joins cost more than the places, so they are made if any is needed.
            for end in ("origin", "destination"):
                keys = self._with_hints(keys, end, places)
            keys = fail(keys, self._unknown(), EntryOutcome.UNKNOWN_PLACE, self._detail())
        return self._doubted(keys.with_columns(great_circle_km=great_circle_km()))

    def _with_hints(self, keys: pl.DataFrame, end: str, places: pl.DataFrame) -> pl.DataFrame:
        """Adds the hints on codes that are no places, and on those that only look like one."""
        column = f"{end}_key"
        hints = self.hints().rename({"hint": f"{end}_hint"})
        keys = keys.join(hints, left_on=column, right_on="code", how="left", maintain_order="left")
        unknown = keys.filter(pl.col(f"{end}_places").is_null())[column].drop_nulls().unique()
        alike = code_hints(unknown, places["code"]).rename({"look_alike": f"{end}_look_alike"})
        return keys.join(alike, left_on=column, right_on="code", how="left", maintain_order="left")

    def _places(self, locations: pl.DataFrame) -> pl.DataFrame:
        """As `_prepared`, or those that were made of the same frame before."""
        made_of, places = _PREPARED.get(self.transport_mode, (None, None))
        if made_of is not locations or places is None:
            places = self._prepared(locations)
            _PREPARED[self.transport_mode] = locations, places
        return places

    def _prepared(self, locations: pl.DataFrame) -> pl.DataFrame:
        """code, latitude, longitude and `places`, the number of places that share the code."""
        places = (
            locations.filter(pl.col("transport_mode") == self.transport_mode)
            .select(
                shared_key(pl.col("code")).alias("code"),
                pl.col("latitude", "longitude").cast(pl.Float64).name.prefix("own_"),
            )
            .with_columns(
                pl.col("own_latitude").first().over("code").alias("first_latitude"),
                pl.col("own_longitude").first().over("code").alias("first_longitude"),
            )
        )
        apart = great_circle_km("own", "first") > SAME_PLACE_KM
        return places.group_by("code").agg(
            pl.col("own_latitude").first().alias("latitude"),
            pl.col("own_longitude").first().alias("longitude"),
            (1 + apart.sum()).cast(pl.UInt32).alias("places"),
        )

    def _doubted(self, keys: pl.DataFrame) -> pl.DataFrame:
        reported, circle = pl.col(self.reported_km), pl.col("great_circle_km")
        if keys[self.reported_km].null_count() == keys.height:
            return keys
        doubtful = keys.filter(self._known() & is_doubtful_distance(reported, circle))
        ends = (shown_place(self.origin), shown_place(self.destination))
        return doubt(keys, doubtful, self.reported_km, doubt_of_distance(reported, circle, ends))

    def _known(self) -> pl.Expr:
        found = [pl.col(f"{end}_places").fill_null(0) == 1 for end in ("origin", "destination")]
        return pl.all_horizontal(found)

    def _unknown(self) -> pl.Expr:
        return pl.col(self.reported_km).is_null() & ~self._known()

    def _detail(self) -> pl.Expr:
        def end(name: str, columns: tuple[str, ...]) -> pl.Expr:
            code = shown_place(columns)
            count = pl.col(f"{name}_places")
            unknown = pl.format(f"unknown {self.noun} {{}}", code)
            alike = pl.format(" ({})", f"{name}_look_alike").fill_null("")
            return (
                pl.when(count.is_null())
                .then(pl.coalesce(f"{name}_hint", pl.concat_str(unknown, alike)))
                .when(count > 1)
                .then(pl.format(f"ambiguous {self.noun} {{}}: {{}} places have it", code, count))
            )

        return pl.concat_str(
            [end("origin", self.origin), end("destination", self.destination)],
            separator="; ",
            ignore_nulls=True,
        )
