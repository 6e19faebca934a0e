"""Flights and train trips for work."""

import polars as pl

from worker_service.carbon.declarations import (
    Band,
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Module,
    Normalisation,
    UndeclaredType,
)
from worker_service.carbon.great_circle import TripDistance
from worker_service.carbon.matching import MatchByKind

# Detours and holding patterns: UK Government GHG conversion factors, methodology paper,
# business travel by air, add 95 km to the great circle of each flight.
_DETOUR_KM = 95

_CABINS = {
    "economy": "professional_travel.plane.eco",
    "business": "professional_travel.plane.business",
    "first": "professional_travel.plane.first",
}
_DISTANCE = Band("min_distance", "max_distance")


def _cabin_type() -> pl.Expr:
    """The leaf of the cabin; the node above for a cabin we do not know."""
    return pl.col("cabin_class").replace_strict(
        list(_CABINS),
        list(_CABINS.values()),
        default="professional_travel.plane",
        return_dtype=pl.String,
    )


_KM_FLOWN = pl.col("distance_km") * pl.col("number_of_trips")

PLANE = DataEntryType(
    id=20,
    name="plane",
    title="Flights",
    columns=(
        Column("origin_iata", example="GVA"),
        Column("destination_iata", example="CDG"),
        Column("user_institutional_id", normalisation=Normalisation.SHOWN, example="123456"),
        Column(
            "cabin_class",
            ColumnKind.CHOICE,
            choices=tuple(_CABINS),
            excused_by_override=True,
            example="economy",
        ),
        Column("departure_date", ColumnKind.DATE, required=False),
        Column(
            "number_of_trips",
            ColumnKind.INTEGER,
            required=False,
            minimum=1,
            plausible_maximum=1_000,
            noun="trips",
            default=1,
            example="1",
        ),
    ),
    factors=FactorColumns(
        classification=(
            Column("category", example="short-haul"),
            Column("cabin_class", ColumnKind.CHOICE, choices=tuple(_CABINS), example="economy"),
        ),
        values=(
            Column("ef_kg_co2eq_per_km", ColumnKind.NUMBER, minimum=0, example="0.2"),
            Column("rfi_adjustment", ColumnKind.NUMBER, required=False, minimum=0, example="1"),
            Column("min_distance", ColumnKind.NUMBER, required=False, minimum=0, default=0),
            Column("max_distance", ColumnKind.NUMBER, required=False, minimum=0, example="3700"),
        ),
        emission_type=_cabin_type(),
        kind="category",
        subkind="cabin_class",
        band=_DISTANCE,
    ),
    references=("locations",),
    lookups=(
        TripDistance(
            transport_mode="plane",
            noun="airport",
            origin="origin_iata",
            destination="destination_iata",
            distance_km=pl.col("great_circle_km") + _DETOUR_KM,
        ),
    ),
    matching=MatchByKind(
        sought=pl.format("{} at {} km", "cabin_class", pl.col("distance_km").cast(pl.Int64)),
        subkind="cabin_class",
        band=_DISTANCE,
        band_of="distance_km",
    ),
    formula=Formula(
        version="plane-1",
        written=(
            "kg = (round(great circle km) + 95) * number_of_trips * ef_kg_co2eq_per_km"
            " * rfi_adjustment (1 if empty); the factor is the one of the cabin whose"
            " [min_distance, max_distance) holds the km of one trip"
        ),
        source=(
            "Great circle on the mean radius 6371.0088 km (IUGG) plus 95 km of detour:"
            " UK Government GHG conversion factors for company reporting, methodology paper,"
            " business travel by air"
        ),
        rows=(
            EmissionRow(
                emission_type=_cabin_type(),
                kg=(
                    _KM_FLOWN
                    * pl.col("ef_kg_co2eq_per_km")
                    * pl.col("rfi_adjustment").fill_null(1.0)
                ),
                additional_value=_KM_FLOWN,
            ),
        ),
    ),
    override_type=_cabin_type(),
)

PROFESSIONAL_TRAVEL = Module(
    id=2,
    name="professional_travel",
    types=(PLANE, UndeclaredType(21, "train")),
)
