"""Columns that trips by air, rail and road have in common."""

import polars as pl

from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    Normalisation,
    Plausible,
    RowWarning,
)

TRAVELLER = Column("user_institutional_id", normalisation=Normalisation.SHOWN, example="123456")
DEPARTURE_DATE = Column("departure_date", ColumnKind.DATE, required=False)
NUMBER_OF_TRIPS = Column(
    "number_of_trips",
    ColumnKind.INTEGER,
    required=False,
    minimum=1,
    plausible=(
        Plausible(1_000, "trips", "who travels each working day to and fro makes some 500 trips"),
    ),
    default=1,
    example="1",
)


def distance_km(plausible: Plausible, plausible_minimum: float | None = None) -> Column:
    """The reported length of one trip. Beyond these bounds it is accepted with a warning."""
    return Column(
        "distance_km",
        ColumnKind.NUMBER,
        required=False,
        minimum=0.1,
        plausible_minimum=plausible_minimum,
        plausible=(plausible,),
    )


def ends_where_it_began(origin: tuple[str, ...], destination: tuple[str, ...]) -> RowWarning:
    """A warning about trips whose places have the same values. The columns are in like order."""
    began, ended = origin[0], destination[0]
    return RowWarning(
        ended,
        when=pl.all_horizontal(
            pl.col(one) == pl.col(other) for one, other in zip(origin, destination, strict=True)
        ),
        reason=pl.when(pl.col("distance_km").is_null())
        .then(pl.lit(f"is the same place as {began}: is that correct?"))
        .otherwise(pl.lit(f"is the same place as {began}: is distance_km that of a round trip?")),
    )
