"""Kinds of reference data that are rows of one table: their columns and what identifies a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    Normalisation,
    Plausible,
    RowCheck,
)

YEAR_COLUMN = "year"
# The currency in which all rates are, so that it needs none.
EURO = "eur"
CURRENCIES = ("aud", "cad", "chf", "cny", "czk", EURO, "gbp", "jpy", "sek", "usd")


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceKind:
    """A kind of reference data.

    `identity` names the columns that tell one row from the others. If the year is among them, it is
    the last, and a row counts for entries of its year alone. `noun` is what a row is, in the
    singular. `checks` reject rows.
    """

    name: str
    noun: str
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    checks: tuple[RowCheck, ...] = ()

    @property
    def has_years(self) -> bool:
        """Whether each row is of one year."""
        return YEAR_COLUMN in self.identity

    @property
    def named_by(self) -> tuple[str, ...]:
        """The columns of `identity` by which entries name a row of their year."""
        return tuple(name for name in self.identity if name != YEAR_COLUMN)


RATES = ReferenceKind(
    name="rates",
    noun="exchange rate",
    columns=(
        Column("currency", ColumnKind.CHOICE, choices=CURRENCIES, example="CHF"),
        Column(YEAR_COLUMN, ColumnKind.INTEGER, minimum=1990, maximum=2100, example="2024"),
        Column(
            "units_per_eur",
            ColumnKind.NUMBER,
            more_than=0,
            plausible=(
                Plausible(
                    1_000,
                    "units of the currency for one euro",
                    "the yen, the smallest of these currencies, has some 160",
                ),
            ),
            example="0.95",
        ),
    ),
    identity=("currency", YEAR_COLUMN),
    checks=(
        RowCheck(
            "units_per_eur",
            when=(pl.col("currency") == EURO) & (pl.col("units_per_eur") != 1),
            reason=pl.lit(
                "must be 1 for EUR, since rates say how many units of a currency one euro is"
            ),
        ),
    ),
)
ROOMS = ReferenceKind(
    name="rooms",
    noun="room",
    columns=(
        Column("building_name", normalisation=Normalisation.SHOWN, example="CE"),
        Column("room_name", normalisation=Normalisation.SHOWN, example="CE 1 100"),
        Column(
            "surface_m2",
            ColumnKind.NUMBER,
            required=False,
            more_than=0,
            plausible=(
                Plausible(100_000, "m2", "a room of ten hectares is a hall for building aircraft"),
            ),
            example="100",
        ),
    ),
    identity=("building_name", "room_name"),
)
REFERENCE_KINDS: Mapping[str, ReferenceKind] = MappingProxyType(
    {kind.name: kind for kind in (RATES, ROOMS)}
)
