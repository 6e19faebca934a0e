"""Cloud services bought outside, by the money spent."""

import polars as pl

from worker_service.carbon.catalogue.amounts import KG_OF_MONEY, LARGEST_AMOUNT, amount
from worker_service.carbon.catalogue.quantities import kilograms_per
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
)
from worker_service.carbon.exchange_rates import (
    FACTOR_CURRENCY,
    HAS_RATES,
    RATE_OF_CURRENCY,
    entry_currency,
    in_factor_currency,
)
from worker_service.carbon.matching import MatchByKind

# Services and their nodes.
_SERVICES = {"virtualisation": "virtualisation", "compute": "calcul", "storage": "stockage"}
_SERVICE = Column(
    "service_type",
    ColumnKind.CHOICE,
    choices=tuple(_SERVICES),
    aliases=(
        *(("virtualization", "virtualisation"), ("calcul", "compute"), ("stockage", "storage")),
        ("computing", "compute"),
    ),
    example="compute",
)
_PROVIDER = Column("provider", example="AWS")
_NODE = pl.format(
    "external.clouds.{}", pl.col("service_type").replace_strict(_SERVICES, return_dtype=pl.String)
)

EXTERNAL_CLOUDS = DataEntryType(
    id=40,
    name="external_clouds",
    title="Cloud services",
    columns=(
        _SERVICE,
        _PROVIDER,
        Column(
            "spent_amount",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(amount(100_000_000, LARGEST_AMOUNT),),
            example="200",
        ),
        entry_currency("eur"),
    ),
    factors=FactorColumns(
        classification=(_SERVICE, _PROVIDER, FACTOR_CURRENCY),
        values=(kilograms_per("ef_kg_co2eq_per_currency", KG_OF_MONEY, example="0.05"),),
        emission_type=_NODE,
        kind="service_type",
        subkind="provider",
    ),
    references=("rates",),
    lookups=(RATE_OF_CURRENCY,),
    factor_lookups=(RATE_OF_CURRENCY,),
    matching=MatchByKind(
        sought=pl.format("{} {}", "service_type", "provider"),
        kind="service_type",
        subkind="provider",
        requires=(HAS_RATES,),
    ),
    formula=Formula(
        version="external_clouds-1",
        written=(
            "kg = amount_in_factor_currency * ef_kg_co2eq_per_currency;"
            " amount_in_factor_currency = spent_amount if both have one currency, else"
            " spent_amount / units_per_eur * units_per_eur of the factor's currency, by the rates"
            " of the year"
        ),
        source=(
            "Amount spent times factor: GHG Protocol, guidance for calculating GHG scope 3"
            " emissions, spend-based method, category 1"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=in_factor_currency("spent_amount") * pl.col("ef_kg_co2eq_per_currency"),
            ),
        ),
    ),
    override_type=_NODE,
)
