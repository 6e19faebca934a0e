"""What all equipment has in common: hours of use a week, power, and a factor per kWh."""

import polars as pl

from worker_service.carbon.catalogue.quantities import KG_PER_KWH, kilograms_per
from worker_service.carbon.declarations import (
    OF_FACTOR,
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Normalisation,
    Plausible,
    Routing,
    RowCheck,
    routing_column,
)
from worker_service.carbon.matching import MatchByKind

HOURS_A_WEEK = 168
WEEKS_A_YEAR = 52
_ACTIVE, _STANDBY = "active_usage_hours_per_week", "standby_usage_hours_per_week"


def equipment_type(number: int, name: str, title: str, example: str) -> DataEntryType:
    """The declaration of a category of equipment, whose node in the emission tree has its name.

    The categories differ by number and name, and in `example`, a class of such equipment.
    """
    node = pl.lit(f"equipment.{name}")
    routing = Routing("equipment_category", name)
    return DataEntryType(
        id=number,
        name=name,
        title=title,
        columns=(
            Column("equipment_id", normalisation=Normalisation.SHOWN, example="E-1"),
            Column("name", normalisation=Normalisation.SHOWN, example=example.capitalize()),
            Column("equipment_class", example=example),
            Column("sub_class", required=False),
            _hours(_ACTIVE, "40", required=False),
            _hours(_STANDBY, "128", required=False),
            routing_column(routing),
        ),
        factors=FactorColumns(
            classification=(
                Column("equipment_class", example=example),
                Column("sub_class", required=False),
            ),
            values=(
                _watts("active_power_w", "100"),
                _watts("standby_power_w", "10"),
                _hours(_ACTIVE, "40"),
                _hours(_STANDBY, "128"),
                kilograms_per("ef_kg_co2eq_per_kwh", KG_PER_KWH, example="0.1"),
            ),
            emission_type=node,
            kind="equipment_class",
            subkind="sub_class",
            checks=(_within_a_week(),),
        ),
        matching=MatchByKind(
            sought=pl.concat_str("equipment_class", "sub_class", separator=" ", ignore_nulls=True),
            kind="equipment_class",
            subkind="sub_class",
        ),
        formula=_formula(f"{name}-1", node),
        override_type=node,
        checks=(_within_a_week(),),
        routing=routing,
    )


def _hours(name: str, example: str, *, required: bool = True) -> Column:
    return Column(
        name,
        ColumnKind.INTEGER,
        required=required,
        minimum=0,
        maximum=HOURS_A_WEEK,
        example=example,
    )


def _watts(name: str, example: str) -> Column:
    return Column(
        name,
        ColumnKind.NUMBER,
        minimum=0,
        plausible=(Plausible(1_000_000, "W", "who takes a megawatt is a computing centre"),),
        example=example,
    )


def _within_a_week() -> RowCheck:
    both = pl.col(_ACTIVE) + pl.col(_STANDBY)
    return RowCheck(
        _STANDBY,
        when=both > HOURS_A_WEEK,
        reason=pl.format(
            "makes {} hours with {}, and a week has " + str(HOURS_A_WEEK), both, pl.lit(_ACTIVE)
        ),
    )


def _formula(version: str, node: pl.Expr) -> Formula:
    active, standby = (
        pl.coalesce(hours, hours + OF_FACTOR).cast(pl.Float64) for hours in (_ACTIVE, _STANDBY)
    )
    watt_hours = active * pl.col("active_power_w") + standby * pl.col("standby_power_w")
    return Formula(
        version=version,
        written=(
            "kg = (active_hours * active_power_w + standby_hours * standby_power_w)"
            f" * {WEEKS_A_YEAR} / 1000 * ef_kg_co2eq_per_kwh;"
            f" active_hours = {_ACTIVE}, else {_ACTIVE}{OF_FACTOR};"
            f" standby_hours = {_STANDBY}, else {_STANDBY}{OF_FACTOR};"
            " an hour of 0 is a value. The factor is the one of the class and sub-class, else the"
            " one of the class without a sub-class"
        ),
        source=(
            "Power times hours of use times factor of electricity: GHG Protocol,"
            " guidance on GHG scope 2, estimates where no meter is"
        ),
        rows=(
            EmissionRow(
                emission_type=node,
                kg=watt_hours * WEEKS_A_YEAR / 1_000 * pl.col("ef_kg_co2eq_per_kwh"),
            ),
        ),
    )
