"""Flights: great circle, class of cabin, band of distance."""

import polars as pl

from worker_service.carbon.airport_codes import airport_hints
from worker_service.carbon.catalogue.professional_travel.trip_columns import (
    DEPARTURE_DATE,
    NUMBER_OF_TRIPS,
    TRAVELLER,
    distance_km,
    ends_where_it_began,
)
from worker_service.carbon.declarations import (
    Band,
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
    RowWarning,
)
from worker_service.carbon.great_circle import TripDistance
from worker_service.carbon.matching import MatchByKind

_CABINS = {
    "economy": "professional_travel.plane.eco",
    "premium_economy": "professional_travel.plane.premium_eco",
    "business": "professional_travel.plane.business",
    "first": "professional_travel.plane.first",
    "average": "professional_travel.plane.average",
}
# How agencies, airlines and published factors write the cabins; keys as fields are compared.
_SPELLINGS = {
    "economy": (
        *("y", "eco", "economy class", "coach", "tourist"),
        *("économique", "economique", "classe économique"),
    ),
    "premium_economy": (
        *("w", "premium", "premium economy", "premium economy class", "premium-economy"),
        *("economy plus", "premium eco", "premium éco"),
    ),
    "business": ("c", "j", "business class", "biz", "affaires", "classe affaires"),
    "first": ("f", "p", "first class", "première", "premiere"),
    "average": ("average passenger", "average_passenger", "avg", "moyenne"),
}
_ONE_TRIP_KM_PLAUSIBLE = 20_500
_HALF_AROUND = Plausible(_ONE_TRIP_KM_PLAUSIBLE, "km", "half the way around the Earth is 20,015 km")
# Hardly a flight is shorter; 3.700 km may be 3,700.
_ONE_TRIP_KM_AT_LEAST = 20
_DISTANCE = Band(
    "min_distance",
    "max_distance",
    unit="km",
    largest=_ONE_TRIP_KM_PLAUSIBLE,
    added="detour_km",
    looked_up="great circles",
)
# A trip of one's own kilometres is as long as it says; else a factor may add its detour.
_KM = pl.coalesce("distance_km", pl.col("great_circle_km") + pl.col("detour_km").fill_null(0.0))
_KM_WITH_DETOUR = pl.when(pl.col("distance_km").is_null() & (pl.col("detour_km") > 0)).then(
    pl.format("{} km with its detour", _KM.round(1))
)
_KM_FLOWN = _KM * pl.col("number_of_trips")


def _cabin_type() -> pl.Expr:
    """The leaf of the cabin; the node above for a cabin we do not know."""
    return pl.col("cabin_class").replace_strict(
        list(_CABINS),
        list(_CABINS.values()),
        default="professional_travel.plane",
        return_dtype=pl.String,
    )


def _spellings() -> tuple[tuple[str, str], ...]:
    return tuple((spelt, cabin) for cabin, all_ in _SPELLINGS.items() for spelt in all_)


PLANE = DataEntryType(
    id=20,
    name="plane",
    title="Flights",
    columns=(
        Column("origin_iata", is_code=True, example="GVA"),
        Column("destination_iata", is_code=True, example="CDG"),
        TRAVELLER,
        Column(
            "cabin_class",
            ColumnKind.CHOICE,
            choices=tuple(_CABINS),
            spellings=_spellings(),
            excused_by_override=True,
            example="economy",
        ),
        DEPARTURE_DATE,
        NUMBER_OF_TRIPS,
        distance_km(_HALF_AROUND, _ONE_TRIP_KM_AT_LEAST),
    ),
    factors=FactorColumns(
        classification=(
            Column("category", example="short-haul"),
            Column(
                "cabin_class",
                ColumnKind.CHOICE,
                choices=tuple(_CABINS),
                spellings=_spellings(),
                example="economy",
            ),
        ),
        values=(
            Column(
                "ef_kg_co2eq_per_km",
                ColumnKind.NUMBER,
                minimum=0,
                plausible=(
                    Plausible(10, "kg per km", "first class with radiative forcing is some 0.6"),
                ),
                example="0.2",
            ),
            Column(
                "rfi_adjustment",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible=(
                    Plausible(10, "as rfi_adjustment", "published adjustments are from 1 to 3"),
                ),
                example="1",
            ),
            Column(
                "min_distance",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible=(_HALF_AROUND,),
                plausible_minimum=_ONE_TRIP_KM_AT_LEAST,
                default=0,
            ),
            Column(
                "max_distance",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible_minimum=_ONE_TRIP_KM_AT_LEAST,
            ),
            Column(
                "detour_km",
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible=(
                    Plausible(1_000, "km of detour", "sets that add a detour add some 95 km"),
                ),
                default=0,
            ),
        ),
        emission_type=_cabin_type(),
        kind="category",
        subkind="cabin_class",
        band=_DISTANCE,
        warnings=tuple(
            RowWarning(
                column,
                when=pl.col(column) == 0,
                reason=pl.lit("is 0, so flights with this factor have 0 kg: is that correct?"),
            )
            for column in ("ef_kg_co2eq_per_km", "rfi_adjustment")
        ),
    ),
    references=("locations",),
    lookups=(
        TripDistance(
            transport_mode="plane",
            noun="airport",
            origin=("origin_iata",),
            destination=("destination_iata",),
            reported_km="distance_km",
            hints=airport_hints,
        ),
    ),
    matching=MatchByKind(
        sought=pl.format(
            "{} at {} km", "cabin_class", pl.coalesce("distance_km", "great_circle_km").round(1)
        ),
        subkind="cabin_class",
        band=_DISTANCE,
        band_of=_KM,
        aside=_KM_WITH_DETOUR,
    ),
    formula=Formula(
        version="plane-2",
        written=(
            "kg = D * number_of_trips * ef_kg_co2eq_per_km * rfi_adjustment (1 if empty);"
            " D = distance_km of the row, else great circle km + detour_km of the factor (0 if"
            " empty); the factor is the one of the cabin whose [min_distance, max_distance)"
            " holds D. Nothing is rounded"
        ),
        source=(
            "Great circle: haversine formula on the mean radius 6371.0088 km (IUGG)."
            " Distance times factor per passenger-km and class: UK Government GHG conversion"
            " factors for company reporting, methodology paper, business travel by air, whose"
            " factors contain their uplift for detours"
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
    warnings=(ends_where_it_began(("origin_iata",), ("destination_iata",)),),
)
