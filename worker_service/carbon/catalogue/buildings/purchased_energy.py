"""Metered electricity, heat, cold and steam, and the losses of the grid if a factor has them."""

import polars as pl

from worker_service.carbon.catalogue.quantities import (
    CAMPUS_IN_UNITS,
    ENERGY_OF_A_CAMPUS,
    KG_OF_FUEL,
    kilograms_per,
    quantity,
)
from worker_service.carbon.declarations import (
    QUANTITY_UNIT,
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    RowCheck,
)
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.units_of_measure import (
    Conversion,
    in_factor_units,
    spellings_of,
    what_it_measures,
)

_CARRIER = Column(
    "carrier",
    ColumnKind.CHOICE,
    choices=("electricity", "district_heating", "district_cooling", "steam"),
    aliases=(("district heating", "district_heating"), ("district cooling", "district_cooling")),
    example="electricity",
)
_NODE = pl.format("buildings.purchased_energy.{}", "carrier")
_QUANTITY = in_factor_units("quantity")


def _is_an_energy(unit: str) -> RowCheck:
    """Steam is also metered by its mass; everything else by its energy alone."""
    of = pl.col(unit)
    of_steam = (pl.col("carrier") == "steam") & of.is_in(spellings_of("mass"))
    return RowCheck(
        "unit",
        when=of.is_in(spellings_of("volume", "mass", "length")) & ~of_steam,
        reason=pl.format(
            "is {}, and {} is an energy: write kWh, MWh or GJ", what_it_measures(of), "carrier"
        ),
    )


PURCHASED_ENERGY = DataEntryType(
    id=33,
    name="purchased_energy",
    title="Metered energy",
    columns=(
        _CARRIER,
        quantity(1_000_000_000, ENERGY_OF_A_CAMPUS, CAMPUS_IN_UNITS, example="2"),
        Column("unit", example="MWh"),
    ),
    factors=FactorColumns(
        classification=(_CARRIER, Column("unit", example="kWh")),
        values=(
            kilograms_per("ef_kg_co2eq_per_unit", KG_OF_FUEL, example="0.2"),
            kilograms_per("ef_losses_kg_co2eq_per_unit", KG_OF_FUEL, required=False),
        ),
        emission_type=_NODE,
        kind="carrier",
        subkind="unit",
        checks=(_is_an_energy("unit"),),
    ),
    matching=MatchByKind(
        sought=pl.format("{} in {}", "carrier", QUANTITY_UNIT),
        kind="carrier",
        conversion=Conversion(QUANTITY_UNIT, pl.col("unit")),
    ),
    formula=Formula(
        version="purchased_energy-1",
        written=(
            "kg = quantity_in_factor_units * ef_kg_co2eq_per_unit;"
            " kg of grid_losses = quantity_in_factor_units * ef_losses_kg_co2eq_per_unit;"
            " the second is GHG scope 3, and is there if the factor has losses"
        ),
        source=(
            "GHG Protocol, guidance on GHG scope 2: metered energy times factor;"
            " losses of transmission and distribution are GHG scope 3, category 3"
        ),
        rows=(
            EmissionRow(emission_type=_NODE, kg=_QUANTITY * pl.col("ef_kg_co2eq_per_unit")),
            EmissionRow(
                emission_type=pl.lit("buildings.grid_losses"),
                kg=_QUANTITY * pl.col("ef_losses_kg_co2eq_per_unit"),
                when=pl.col("ef_losses_kg_co2eq_per_unit").is_not_null(),
            ),
        ),
    ),
    override_type=_NODE,
    checks=(_is_an_energy(QUANTITY_UNIT),),
)
