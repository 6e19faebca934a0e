"""What both kinds of facilities have in common: their columns, and the unit of their use."""

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind, Plausible, RowWarning
from worker_service.carbon.matching import Requirement
from worker_service.carbon.outcomes import EntryOutcome

_LARGEST_USE = Plausible(
    20_000_000,
    "of its unit",
    "a thousand instruments used day and night have 8,784,000 hours, and 30,000 cages of animals"
    " 10,980,000 days",
)
FACILITY = (
    Column("researchfacility_id", example="1234"),
    Column("researchfacility_name", example="Microscopy"),
)
USE = (
    Column("use", ColumnKind.NUMBER, minimum=0, plausible=(_LARGEST_USE,), example="10"),
    Column("use_unit", example="hours"),
)
TOTAL_USE = (
    Column("use_unit", example="hours"),
    Column("total_use", ColumnKind.NUMBER, minimum=0, plausible=(_LARGEST_USE,), example="100"),
)
SAME_UNIT = Requirement(
    met=pl.col("use_unit") == pl.col("use_unit_of_factor"),
    outcome=EntryOutcome.MISSING_VALUE,
    detail=pl.format(
        "use_unit is {}, and the factor of {} has {}",
        "use_unit",
        "researchfacility_id",
        "use_unit_of_factor",
    ),
)
# A share of more than all of it: one of the two numbers is wrong, or is of another year.
MORE_THAN_ALL = RowWarning(
    "use",
    when=pl.col("use") > pl.col("total_use"),
    reason=pl.format(
        "is more than total_use, the {} {} in which all have used {}: is that correct?",
        pl.col("total_use").cast(pl.String).str.strip_suffix(".0"),
        "use_unit",
        "researchfacility_id",
    ),
)
# What a requirement says of a facility that lacks kilograms.
NO_TOTALS = ", and no unit of this id has totals of the year"
SOURCE = (
    "Allocation of a shared facility's emissions by use: GHG Protocol, Corporate Value Chain"
    " Standard, chapter 8 (allocating emissions), physical allocation"
)


def share_of_use(kg: pl.Expr) -> pl.Expr:
    """The part of a facility's kilograms that falls to a use. 0 if nobody used the facility."""
    total = pl.col("total_use")
    return pl.when(total == 0).then(0.0).otherwise(pl.col("use") / total * kg)


def kilograms_column(name: str, *, required: bool = False) -> Column:
    """A factor's column with a year's kilograms of a facility."""
    return Column(
        name,
        ColumnKind.NUMBER,
        required=required,
        minimum=0,
        plausible=(
            Plausible(100_000_000, "kg", "whole universities emit some 100,000 tonnes a year"),
        ),
        example="1000",
    )
