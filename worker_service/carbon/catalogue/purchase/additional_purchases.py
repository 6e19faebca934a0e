"""Purchases that are counted by weight, such as liquid nitrogen."""

import polars as pl

from worker_service.carbon.catalogue.quantities import kilograms_per
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Normalisation,
    Plausible,
)
from worker_service.carbon.matching import MatchByKind

_NITROGEN = ("ln2", "liquid nitrogen", "azote liquide")
_NODE = (
    pl.when(pl.col("name").is_in(_NITROGEN))
    .then(pl.lit("purchases.additional.ln2"))
    .otherwise(pl.lit("purchases.additional"))
)

ADDITIONAL_PURCHASES = DataEntryType(
    id=67,
    name="additional_purchases",
    title="Purchases by weight",
    columns=(
        Column("name", example="LN2"),
        Column("unit", normalisation=Normalisation.SHOWN, example="l"),
        Column(
            "annual_consumption",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(
                Plausible(
                    100_000_000,
                    "of its unit",
                    "ten thousand tonnes or cubic metres are more than a university buys of a good",
                    by="unit",
                    mosts=(("kg", 10_000_000), ("m3", 10_000)),
                ),
            ),
            example="1000",
        ),
        Column(
            "coef_to_kg",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(
                Plausible(
                    100_000,
                    "kg per unit",
                    "a cubic metre of mercury has 13,600 kg, and a lorry carries some 25,000",
                ),
            ),
            example="0.8",
        ),
    ),
    factors=FactorColumns(
        classification=(Column("name", example="LN2"),),
        values=(
            kilograms_per(
                "ef_kg_co2eq_per_kg",
                Plausible(
                    100_000,
                    "kg per kg",
                    "a kg of SF6 is some 25,000 kg (IPCC AR6), and no gas is more",
                ),
                example="0.4",
            ),
        ),
        emission_type=_NODE,
        kind="name",
    ),
    matching=MatchByKind(sought=pl.col("name"), kind="name"),
    formula=Formula(
        version="additional_purchases-1",
        written="kg = annual_consumption * coef_to_kg * ef_kg_co2eq_per_kg",
        source=(
            "Mass times factor: GHG Protocol, guidance for calculating GHG scope 3"
            " emissions, average-data method, category 1"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=(
                    pl.col("annual_consumption")
                    * pl.col("coef_to_kg")
                    * pl.col("ef_kg_co2eq_per_kg")
                ),
            ),
        ),
    ),
    override_type=_NODE,
)
