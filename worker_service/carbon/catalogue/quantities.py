"""What several types share: quantities, people and kilograms per unit, one of two columns."""

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind, Plausible, RowCheck

PEOPLE = Plausible(100_000, "FTE", "the largest campuses have some 70,000 people")
# 300 GWh, and about as much in gas, liquid fuels and wood; kWh for MWh are a thousand times more.
ENERGY_OF_A_CAMPUS = (
    "the largest campus of Seattle's energy benchmarking of 2016 took 256 GWh, with all its fuels"
)
CAMPUS_IN_UNITS = (
    *(("kwh", 300_000_000.0), ("m3", 30_000_000.0), ("l", 30_000_000.0)),
    # Steam has some 0.6 kWh per kg, and is metered by its mass.
    ("kg", 500_000_000.0),
)
# Grams for kilograms are a thousand times more.
KG_PER_KWH = Plausible(10, "kg per kWh", "a kWh of electricity from lignite is some 1.2 kg")
KG_OF_FUEL = Plausible(
    10_000,
    "kg per unit",
    "a kg or a litre of a fuel is some 3 kg, and a kWh of electricity from lignite some 1.2 kg",
    by="unit",
    mosts=(("kwh", 10), ("kg", 10), ("m3", 10_000)),
    noun_of="kg per {}",
    is_per_unit=True,
)


def quantity(
    most: float, because: str, mosts: tuple[tuple[str, float], ...] = (), *, example: str
) -> Column:
    """A quantity in any unit. Beyond `most`, or the one of its unit, a row has a warning."""
    plausible = Plausible(most, "of its unit", because, by="unit", mosts=mosts)
    return Column("quantity", ColumnKind.NUMBER, minimum=0, plausible=(plausible,), example=example)


def kilograms_per(
    name: str, plausible: Plausible, *, example: str = "", required: bool = True
) -> Column:
    """A column of kg CO2eq per unit of something. Beyond `plausible` a row has a warning."""
    return Column(
        name,
        ColumnKind.NUMBER,
        required=required,
        minimum=0,
        plausible=(plausible,),
        example=example,
    )


def one_of_two(first: str, second: str) -> tuple[RowCheck, RowCheck]:
    """Rejects rows with none of two optional columns, and rows with both."""
    has_first, has_second = (pl.col(name).is_not_null() for name in (first, second))
    return (
        RowCheck(
            first,
            when=~has_first & ~has_second,
            reason=pl.lit(f"is missing, and so is {second}: one is needed"),
        ),
        RowCheck(
            second,
            when=has_first & has_second,
            reason=pl.lit(f"is there beside {first}: leave one of the two empty"),
        ),
    )
