"""Gases that processes release, refrigerants included: a quantity of gas and its factor."""

import polars as pl

from worker_service.carbon.catalogue.quantities import kilograms_per, quantity
from worker_service.carbon.declarations import (
    QUANTITY_UNIT,
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
)
from worker_service.carbon.matching import MatchByKind
from worker_service.carbon.units_of_measure import Conversion, in_factor_units

_CATEGORY = Column(
    "category",
    ColumnKind.CHOICE,
    choices=("ch4", "co2", "n2o", "refrigerants"),
    aliases=(
        *(("ch₄", "ch4"), ("co₂", "co2"), ("n₂o", "n2o")),
        ("refrigerant", "refrigerants"),
    ),
    spellings=(
        *(("methane", "ch4"), ("méthane", "ch4"), ("carbon dioxide", "co2")),
        *(("nitrous oxide", "n2o"), ("fluids", "refrigerants"), ("hfc", "refrigerants")),
    ),
    example="co2",
)
_NODE = pl.format("process_emissions.{}", "category")

PROCESS_EMISSIONS = DataEntryType(
    id=50,
    name="process_emissions",
    title="Process emissions",
    columns=(
        _CATEGORY,
        quantity(
            1_000_000,
            "a thousand tonnes of a gas are more than a university releases by processes",
            (("kg", 1_000_000),),
            example="100",
        ),
        Column("subcategory", required=False),
        Column("unit", required=False),
    ),
    factors=FactorColumns(
        classification=(
            _CATEGORY,
            Column("subcategory", required=False),
            Column("unit", example="kg"),
        ),
        values=(
            kilograms_per(
                "ef_kg_co2eq_per_unit",
                Plausible(
                    100_000_000,
                    "kg per unit",
                    "a kg of SF6 is some 25,000 kg (IPCC AR6), and no gas is more",
                    by="unit",
                    mosts=(("kg", 100_000),),
                    noun_of="kg per {}",
                    is_per_unit=True,
                ),
                example="1",
            ),
        ),
        emission_type=_NODE,
        kind="category",
        subkind="subcategory",
    ),
    matching=MatchByKind(
        sought=pl.concat_str("category", "subcategory", separator=" ", ignore_nulls=True),
        kind="category",
        subkind="subcategory",
        conversion=Conversion(QUANTITY_UNIT, pl.col("unit")),
    ),
    formula=Formula(
        version="process_emissions-1",
        written=(
            "kg = quantity_in_factor_units * ef_kg_co2eq_per_unit;"
            " the factor is the one of the category and subcategory, else the one of the category"
            " without a subcategory. A quantity without a unit is in the factor's"
        ),
        source=(
            "Mass of gas times its global warming potential:"
            " IPCC Guidelines for National Greenhouse Gas Inventories (2006, refined 2019),"
            " volume 3, industrial processes and product use"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=in_factor_units("quantity") * pl.col("ef_kg_co2eq_per_unit"),
            ),
        ),
    ),
    override_type=_NODE,
)
