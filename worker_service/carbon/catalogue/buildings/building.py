"""Energy of rooms: the surface from reference data, times what a type of room uses per m2."""

import polars as pl

from worker_service.carbon.catalogue.quantities import KG_PER_KWH, kilograms_per
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
)
from worker_service.carbon.emission_tree import ROOM_TYPES
from worker_service.carbon.matching import MatchByKind, Requirement
from worker_service.carbon.outcomes import EntryOutcome
from worker_service.carbon.reference_kinds import ROOMS
from worker_service.carbon.reference_lookup import ReferenceLookup

_ROOM_TYPE = Column("room_type", ColumnKind.CHOICE, choices=ROOM_TYPES, example="office")
_ELECTRIC, _THERMAL = "electric", "thermal"
_RATIO, _CONVERSION = "room_allocation_ratio", "conversion_factor"
_ROOM = pl.format("{} in building {}", "room_name", "building_name")
_NODE = "buildings.rooms"


def _kwh_per_m2(energy: str, example: str) -> Column:
    return Column(
        f"{energy}_kwh_per_square_meter",
        ColumnKind.NUMBER,
        minimum=0,
        plausible=(Plausible(10_000, "kWh per m2", "a data centre has some thousands"),),
        example=example,
    )


def _row(leaf: str, energy: str, of_heating: pl.Expr | None = None) -> EmissionRow:
    """The row of one energy. Heating has two, of which the factor's energy_type says which is 0."""
    kg = (
        pl.col("surface_m2")
        * pl.col(f"{energy}_kwh_per_square_meter")
        * pl.col(_RATIO)
        * pl.col("ef_kg_co2eq_per_kwh")
    )
    return EmissionRow(
        emission_type=pl.format(f"{_NODE}.{leaf}.{{}}", "room_type"),
        kg=kg if of_heating is None else kg * of_heating,
    )


def _heating(energy_type: str) -> pl.Expr:
    return pl.when(pl.col("energy_type") == energy_type).then(pl.col(_CONVERSION)).otherwise(0.0)


BUILDING = DataEntryType(
    id=30,
    name="building",
    title="Rooms",
    columns=(
        Column("building_name", example="CE"),
        Column("room_name", example="CE 1 100"),
        _ROOM_TYPE,
        Column(
            _RATIO, ColumnKind.NUMBER, required=False, minimum=0, maximum=1, default=1, example="1"
        ),
    ),
    factors=FactorColumns(
        classification=(Column("building_name", example="CE"), _ROOM_TYPE),
        values=(
            _kwh_per_m2("heating", "30"),
            _kwh_per_m2("cooling", "20"),
            _kwh_per_m2("ventilation", "10"),
            _kwh_per_m2("lighting", "5"),
            kilograms_per("ef_kg_co2eq_per_kwh", KG_PER_KWH, example="0.1"),
            Column(
                "energy_type",
                ColumnKind.CHOICE,
                choices=(_ELECTRIC, _THERMAL),
                aliases=(("elec", _ELECTRIC), ("electricity", _ELECTRIC), ("therm", _THERMAL)),
                example=_THERMAL,
            ),
            Column(
                _CONVERSION,
                ColumnKind.NUMBER,
                required=False,
                minimum=0,
                plausible=(
                    Plausible(
                        100, "as conversion_factor", "boilers and heat pumps have some 0.2 to 1.5"
                    ),
                ),
                default=1,
            ),
        ),
        emission_type=pl.lit(_NODE),
        kind="building_name",
        subkind="room_type",
    ),
    references=(ROOMS.name,),
    lookups=(
        ReferenceLookup(
            ROOMS,
            requires=(
                Requirement(
                    met=pl.col("found"),
                    outcome=EntryOutcome.NO_ROOM,
                    detail=pl.format("unknown room {}", _ROOM),
                ),
                Requirement(
                    met=pl.col("surface_m2").is_not_null(),
                    outcome=EntryOutcome.NO_ROOM,
                    detail=pl.format("room {} has no surface", _ROOM),
                ),
            ),
        ),
    ),
    matching=MatchByKind(
        sought=pl.format("{} in building {}", "room_type", "building_name"),
        kind="building_name",
        subkind="room_type",
    ),
    formula=Formula(
        version="building-1",
        written=(
            "kg = surface_m2 * kwh_per_square_meter * room_allocation_ratio (1 if empty)"
            " * ef_kg_co2eq_per_kwh * c; once each for lighting, cooling, ventilation,"
            " heating_elec and heating_thermal, with the kwh_per_square_meter of the factor;"
            " c = 1, and for heating conversion_factor (1 if empty) in the row of the factor's"
            " energy_type, 0 in the other. surface_m2 is that of the room in the reference data"
        ),
        source=(
            "Surface times energy per m2 and use of the room: SIA 2024, data of use of rooms;"
            " energy times factor: GHG Protocol, guidance on GHG scope 2"
        ),
        rows=(
            _row("lighting", "lighting"),
            _row("cooling", "cooling"),
            _row("ventilation", "ventilation"),
            _row("heating_elec", "heating", _heating(_ELECTRIC)),
            _row("heating_thermal", "heating", _heating(_THERMAL)),
        ),
    ),
    override_type=pl.lit(f"{_NODE}.reported"),
)
