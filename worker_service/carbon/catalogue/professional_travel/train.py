"""Trips by train: the great circle between two stations, its detour, and the country's factor."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.catalogue.professional_travel.trip_columns import (
    DEPARTURE_DATE,
    NUMBER_OF_TRIPS,
    TRAVELLER,
    distance_km,
    ends_where_it_began,
)
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Lookup,
    Plausible,
    References,
    RowWarning,
)
from worker_service.carbon.great_circle import TripDistance
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.place_keys import country_of_trip

_ORIGIN = ("origin_name", "origin_country_code")
_DESTINATION = ("destination_name", "destination_country_code")
_CLASSES = {"first": "class_1", "second": "class_2"}
_SPELLINGS = {
    "first": (
        *("1", "1.", "1st", "1st class", "first class", "class 1", "class_1"),
        *("1re", "1ère", "1ere", "première", "premiere", "1re classe", "1. klasse"),
    ),
    "second": (
        *("2", "2.", "2nd", "2nd class", "second class", "class 2", "class_2", "standard"),
        *("2e", "2ème", "2eme", "deuxième", "seconde", "2e classe", "2. klasse", "economy"),
    ),
}
_LONGEST = Plausible(10_000, "km", "the Trans-Siberian Railway has 9,289 km")
# The detour of a railway beside the great circle.
_DETOUR_RATIO = 1.2
_OTHER_COUNTRIES = "row"
_NODE = "professional_travel.train"
_KM = pl.coalesce("distance_km", pl.col("great_circle_km") * pl.col("detour_ratio"))
_KM_OF_TRIPS = _KM * pl.col("number_of_trips")


@dataclass(frozen=True, slots=True, eq=False)
class _CountryOfTrip(Lookup):
    """Adds `trip_country`, the country whose factor a trip has."""

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns with the countries of both ends."""
        return (_ORIGIN[1], _DESTINATION[1])

    def resolve(
        self,
        keys: pl.DataFrame,
        references: References,  # noqa: ARG002  a lookup has it
    ) -> pl.DataFrame:
        """Implements Lookup.resolve. It finds a country for every trip."""
        return keys.with_columns(trip_country=country_of_trip(_ORIGIN[1], _DESTINATION[1]))


def _no_hints() -> pl.DataFrame:
    return pl.DataFrame(schema={"code": pl.String, "hint": pl.String})


def _class_type() -> pl.Expr:
    """The leaf of the class; the node above for a class we do not know."""
    leaves = [f"{_NODE}.{leaf}" for leaf in _CLASSES.values()]
    return pl.col("cabin_class").replace_strict(
        list(_CLASSES), leaves, default=_NODE, return_dtype=pl.String
    )


TRAIN = DataEntryType(
    id=21,
    name="train",
    title="Train trips",
    columns=(
        Column("origin_name", example="Geneva"),
        Column("origin_country_code", example="CH"),
        Column("destination_name", example="Lausanne"),
        Column("destination_country_code", example="CH"),
        TRAVELLER,
        Column(
            "cabin_class",
            ColumnKind.CHOICE,
            choices=tuple(_CLASSES),
            aliases=tuple((spelt, one) for one, all_ in _SPELLINGS.items() for spelt in all_),
            excused_by_override=True,
            example="second",
        ),
        DEPARTURE_DATE,
        NUMBER_OF_TRIPS,
        distance_km(_LONGEST),
    ),
    factors=FactorColumns(
        classification=(Column("country_code", example="CH"),),
        values=(
            Column(
                "ef_kg_co2eq_per_km",
                ColumnKind.NUMBER,
                minimum=0,
                plausible=(Plausible(2, "kg per km", "a diesel train has some 0.1"),),
                example="0.006",
            ),
            Column(
                "detour_ratio",
                ColumnKind.NUMBER,
                required=False,
                minimum=1,
                plausible=(
                    Plausible(3, "as detour_ratio", "railways have some 1.2 of the great circle"),
                ),
                default=_DETOUR_RATIO,
            ),
        ),
        emission_type=pl.lit(_NODE),
        kind="country_code",
        warnings=(
            RowWarning(
                "ef_kg_co2eq_per_km",
                when=pl.col("ef_kg_co2eq_per_km") == 0,
                reason=pl.lit("is 0, so trips with this factor have 0 kg: is that correct?"),
            ),
        ),
    ),
    references=("locations",),
    lookups=(
        TripDistance(
            transport_mode="train",
            noun="station",
            origin=_ORIGIN,
            destination=_DESTINATION,
            reported_km="distance_km",
            hints=_no_hints,
        ),
        _CountryOfTrip(),
    ),
    matching=MatchByKind(
        sought=pl.format("{}, and none for RoW", pl.col("trip_country").str.to_uppercase()),
        kind="trip_country",
        looked_up=("trip_country",),
        other_kind=_OTHER_COUNTRIES,
    ),
    formula=Formula(
        version="train-1",
        written=(
            "kg = D * number_of_trips * ef_kg_co2eq_per_km; D = distance_km of the row, else great"
            " circle km * detour_ratio of the factor (1.2 if empty); the factor is that of CH if"
            " both ends are there, else of the destination if that is not in CH, else of the"
            " origin, and that of RoW for a country without a factor. Nothing is rounded"
        ),
        source=(
            "Great circle: haversine formula on the mean radius 6371.0088 km (IUGG)."
            " Distance times factor per passenger-km: GHG Protocol, Corporate Value Chain"
            " Standard, category 6 (business travel), distance-based method"
        ),
        rows=(
            EmissionRow(
                emission_type=_class_type(),
                kg=_KM_OF_TRIPS * pl.col("ef_kg_co2eq_per_km"),
                additional_value=_KM_OF_TRIPS,
            ),
        ),
    ),
    override_type=_class_type(),
    warnings=(ends_where_it_began(_ORIGIN, _DESTINATION),),
)
