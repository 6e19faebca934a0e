"""Fuels burnt in buildings: a quantity in any unit, and a factor per unit."""

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
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    RowCheck,
)
from worker_service.carbon.emission_tree import EMISSION_TYPES
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.units_of_measure import (
    Conversion,
    in_factor_units,
    spellings_of,
    what_it_measures,
)

_ABOVE = "buildings.combustion"
_FUELS = [path for path in EMISSION_TYPES if path.startswith(f"{_ABOVE}.")]
_NAMED = pl.concat_str(pl.lit(f"{_ABOVE}."), pl.col("name").str.replace_all(r"[ -]+", "_"))
_NODE = pl.when(_NAMED.is_in(_FUELS)).then(_NAMED).otherwise(pl.lit(f"{_ABOVE}.other"))

ENERGY_COMBUSTION = DataEntryType(
    id=31,
    name="energy_combustion",
    title="Fuels burnt",
    columns=(
        Column("name", example="natural_gas"),
        quantity(1_000_000_000, ENERGY_OF_A_CAMPUS, CAMPUS_IN_UNITS, example="1000"),
        Column("unit", required=False, example="kWh"),
    ),
    factors=FactorColumns(
        classification=(
            Column("unit", example="kWh"),
            Column("name", example="natural_gas"),
        ),
        values=(kilograms_per("ef_kg_co2eq_per_unit", KG_OF_FUEL, example="0.2"),),
        emission_type=_NODE,
        kind="name",
        subkind="unit",
    ),
    matching=MatchByKind(
        sought=pl.concat_str(
            "name", pl.format("in {}", QUANTITY_UNIT), separator=" ", ignore_nulls=True
        ),
        kind="name",
        conversion=Conversion(QUANTITY_UNIT, pl.col("unit")),
    ),
    formula=Formula(
        version="energy_combustion-1",
        written=(
            "kg = quantity_in_factor_units * ef_kg_co2eq_per_unit;"
            " a quantity without a unit is in the factor's"
        ),
        source=(
            "Fuel burnt times factor: IPCC Guidelines for National Greenhouse Gas Inventories"
            " (2006), volume 2, stationary combustion, tier 1"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=in_factor_units("quantity") * pl.col("ef_kg_co2eq_per_unit"),
            ),
        ),
    ),
    override_type=_NODE,
    checks=(
        RowCheck(
            "unit",
            when=pl.col(QUANTITY_UNIT).is_in(spellings_of("length")),
            reason=pl.format(
                "is {}, and a fuel is an energy, a volume or a mass: write kWh, m3 or kg",
                what_it_measures(pl.col(QUANTITY_UNIT)),
            ),
        ),
    ),
)
