"""What the types of purchases by money share: columns, look-up by codes, amount times factor."""

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
    Normalisation,
    Plausible,
    Routing,
    routing_column,
)
from worker_service.carbon.exchange_rates import (
    FACTOR_CURRENCY,
    HAS_RATES,
    RATE_OF_CURRENCY,
    entry_currency,
    in_factor_currency,
)
from worker_service.carbon.matching import MatchByKind

_CODE = Column("purchase_institutional_code", example="51100000")
_ADDITIONAL_CODE = Column("purchase_additional_code", required=False)
_SPENT = Column(
    "total_spent_amount",
    ColumnKind.NUMBER,
    minimum=0,
    plausible=(
        amount(100_000_000, LARGEST_AMOUNT),
        amount(
            20_000_000,
            "an NMR spectrometer of 1.2 GHz, one of the dearest instruments, is some 15 million",
            per="quantity",
        ),
    ),
    example="100",
)
_QUANTITY = Column(
    "quantity",
    ColumnKind.NUMBER,
    required=False,
    minimum=0,
    plausible=(
        Plausible(
            100_000_000,
            "pieces",
            "what is ordered by the dollar has as many as its amount",
        ),
    ),
)
_SOUGHT = pl.concat_str(
    _CODE.name,
    pl.format("with additional code {}", _ADDITIONAL_CODE.name),
    separator=" ",
    ignore_nulls=True,
)


def spending(number: int, name: str, title: str, leaf: str) -> DataEntryType:
    """A type of purchases, whose kilograms stand on the leaf of purchases.goods_and_services."""
    node = pl.lit(f"purchases.goods_and_services.{leaf}")
    routing = Routing("purchase_category", name)
    return DataEntryType(
        id=number,
        name=name,
        title=title,
        columns=(
            Column("name", normalisation=Normalisation.SHOWN, example="Microscope"),
            _SPENT,
            _CODE,
            Column("supplier", required=False, normalisation=Normalisation.SHOWN),
            _QUANTITY,
            entry_currency("chf"),
            Column(
                "purchase_institutional_description",
                required=False,
                normalisation=Normalisation.SHOWN,
            ),
            _ADDITIONAL_CODE,
            routing_column(routing),
        ),
        factors=FactorColumns(
            classification=(_CODE, _ADDITIONAL_CODE, FACTOR_CURRENCY),
            values=(kilograms_per("ef_kg_co2eq_per_currency", KG_OF_MONEY, example="0.5"),),
            emission_type=node,
            kind=_CODE.name,
            subkind=_ADDITIONAL_CODE.name,
        ),
        references=("rates",),
        lookups=(RATE_OF_CURRENCY,),
        factor_lookups=(RATE_OF_CURRENCY,),
        matching=MatchByKind(
            sought=_SOUGHT,
            kind=_CODE.name,
            subkind=_ADDITIONAL_CODE.name,
            subkind_leads=True,
            requires=(HAS_RATES,),
        ),
        formula=Formula(
            version=f"{name}-1",
            written=(
                "kg = amount_in_factor_currency * ef_kg_co2eq_per_currency;"
                " amount_in_factor_currency = total_spent_amount if both have one currency, else"
                " total_spent_amount / units_per_eur * units_per_eur of the factor's currency, by"
                " the rates of the year. The factor is the one with the additional code of the row"
                " (of several the one with its institutional code, too), else the one with the"
                " institutional code (of several the one without additional code)"
            ),
            source=(
                "Amount spent times factor: GHG Protocol, guidance for calculating GHG scope 3"
                " emissions, spend-based method, category 1"
            ),
            rows=(
                EmissionRow(
                    emission_type=node,
                    kg=(in_factor_currency(_SPENT.name) * pl.col("ef_kg_co2eq_per_currency")),
                ),
            ),
        ),
        override_type=node,
        routing=routing,
    )
