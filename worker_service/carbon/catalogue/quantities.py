"""What several types share: columns of quantities and kilograms per unit, one of two columns."""

import polars as pl

from worker_service.carbon.declarations import Column, ColumnKind, RowCheck


def quantity(plausible_maximum: float, example: str) -> Column:
    """A quantity in any unit. More than `plausible_maximum` is accepted with a warning."""
    return Column(
        "quantity",
        ColumnKind.NUMBER,
        minimum=0,
        plausible_maximum=plausible_maximum,
        noun="of its unit",
        example=example,
    )


def kilograms_per(
    name: str, what: str, plausible_maximum: float, example: str = "", *, required: bool = True
) -> Column:
    """A column of kg CO2eq per `what`. Above `plausible_maximum` it is accepted with a warning."""
    return Column(
        name,
        ColumnKind.NUMBER,
        required=required,
        minimum=0,
        plausible_maximum=plausible_maximum,
        noun=f"kg per {what}",
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
