"""Amounts of money in the currency of their factor, by the rates of the year."""

from dataclasses import dataclass

import polars as pl

from worker_service.carbon.declarations import OF_FACTOR, Column, ColumnKind, References
from worker_service.carbon.matching import Requirement
from worker_service.carbon.outcomes import EntryOutcome
from worker_service.carbon.reference_kinds import CURRENCIES, EURO, RATES, ReferenceKind
from worker_service.carbon.reference_lookup import ReferenceLookup

_CURRENCY, _RATE = "currency", "units_per_eur"
_OURS, _THEIRS = pl.col(_RATE), pl.col(_RATE + OF_FACTOR)
_IS_SAME = pl.col(_CURRENCY) == pl.col(_CURRENCY + OF_FACTOR)
_WITHOUT = pl.concat_str(
    pl.when(_OURS.is_null()).then(pl.col(_CURRENCY).str.to_uppercase()),
    pl.when(_THEIRS.is_null()).then(pl.col(_CURRENCY + OF_FACTOR).str.to_uppercase()),
    separator=" and ",
    ignore_nulls=True,
)

FACTOR_CURRENCY = Column(_CURRENCY, ColumnKind.CHOICE, choices=CURRENCIES, example="EUR")
# Without a rate of the year there are no kilograms, unless entry and factor have one currency.
HAS_RATES = Requirement(
    met=_IS_SAME | (_OURS.is_not_null() & _THEIRS.is_not_null()),
    outcome=EntryOutcome.NO_RATE,
    detail=pl.format("no exchange rate for {} in this year", _WITHOUT),
)


def entry_currency(default: str) -> Column:
    """The currency of an amount. Empty means `default`."""
    return Column(_CURRENCY, ColumnKind.CHOICE, required=False, choices=CURRENCIES, default=default)


def in_factor_currency(amount: str) -> pl.Expr:
    """A column's amount in the currency of the factor, by way of the euro. Nothing is rounded."""
    return pl.when(_IS_SAME).then(pl.col(amount)).otherwise(pl.col(amount) / _OURS * _THEIRS)


@dataclass(frozen=True, slots=True, eq=False)
class RateOfCurrency(ReferenceLookup):
    """Adds `units_per_eur` of the currency of entries, and of factors; null where there is none.

    A missing rate has no outcome yet: the factor may need none.
    """

    kind: ReferenceKind = RATES

    def resolve(self, keys: pl.DataFrame, references: References) -> pl.DataFrame:
        """Implements Lookup.resolve."""
        found = ReferenceLookup.resolve(self, keys, references)
        of_euro = pl.when(pl.col(_CURRENCY) == EURO).then(1.0).otherwise(_RATE)
        return found.with_columns(of_euro.alias(_RATE))

    def of_factors(self, factors: pl.DataFrame, references: References) -> pl.DataFrame:
        """Implements FactorLookup.of_factors."""
        return self.resolve(factors, references)


RATE_OF_CURRENCY = RateOfCurrency()
