"""Trips by road: a distance in kilometres or miles, and a factor of the class of vehicle."""

import polars as pl

from worker_service.carbon.catalogue.professional_travel.trip_columns import (
    DEPARTURE_DATE,
    TRAVELLER,
)
from worker_service.carbon.catalogue.quantities import kilograms_per, one_of_two
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
)
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.units_of_measure import Conversion, in_factor_units, units_in

_LORRY = "a lorry of 40 t has some 1 kg per km"
_NODE = pl.lit("professional_travel.road")
_PER_KM, _PER_MILE = pl.col("ef_kg_co2eq_per_km"), pl.col("ef_kg_co2eq_per_mile")

ROAD_TRAVEL = DataEntryType(
    id=22,
    name="road_travel",
    title="Trips by road",
    columns=(
        Column("vehicle_class", example="average car"),
        Column(
            "distance",
            ColumnKind.NUMBER,
            more_than=0,
            plausible=(
                Plausible(
                    200_000,
                    "km",
                    "five hours on the road on each day of a year are some 150,000 km",
                    by="distance_unit",
                    mosts=(("km", 200_000),),
                ),
            ),
            example="120",
        ),
        TRAVELLER,
        Column("fuel", required=False),
        Column(
            "distance_unit",
            ColumnKind.CHOICE,
            required=False,
            choices=("km", "mi"),
            aliases=(("mile", "mi"), ("miles", "mi"), ("kilometre", "km"), ("kilometres", "km")),
            default="km",
            example="km",
        ),
        DEPARTURE_DATE,
    ),
    factors=FactorColumns(
        classification=(
            Column("vehicle_class", example="average car"),
            Column("fuel", required=False),
        ),
        values=(
            kilograms_per(
                "ef_kg_co2eq_per_km",
                Plausible(10, "kg per km", _LORRY),
                example="0.17",
                required=False,
            ),
            kilograms_per(
                "ef_kg_co2eq_per_mile", Plausible(16, "kg per mile", _LORRY), required=False
            ),
        ),
        emission_type=_NODE,
        kind="vehicle_class",
        subkind="fuel",
        checks=one_of_two("ef_kg_co2eq_per_km", "ef_kg_co2eq_per_mile"),
    ),
    matching=MatchByKind(
        sought=pl.concat_str("vehicle_class", "fuel", separator=" ", ignore_nulls=True),
        kind="vehicle_class",
        subkind="fuel",
        conversion=Conversion(
            "distance_unit", pl.when(_PER_KM.is_null()).then(pl.lit("mi")).otherwise(pl.lit("km"))
        ),
    ),
    formula=Formula(
        version="road_travel-1",
        written=(
            "kg = distance_in_factor_units * ef;"
            " ef = ef_kg_co2eq_per_km, else ef_kg_co2eq_per_mile;"
            " the factor is the one of the class and fuel, else the one of the class without a"
            " fuel. The additional value is the distance in km"
        ),
        source=(
            "Distance times factor per vehicle and km: UK Government GHG conversion factors for"
            " company reporting, methodology paper, business travel by land"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=in_factor_units("distance") * pl.coalesce(_PER_KM, _PER_MILE),
                additional_value=(
                    pl.col("distance")
                    * pl.when(pl.col("distance_unit") == "mi")
                    .then(units_in("mi", "km"))
                    .otherwise(1.0)
                ),
            ),
        ),
    ),
    override_type=_NODE,
)
