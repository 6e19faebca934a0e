"""The column of a factor file with the kilograms of one unit of what is counted."""

from worker_service.carbon.declarations import Column, ColumnKind


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
