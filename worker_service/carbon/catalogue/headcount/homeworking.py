"""Work at home, by full-time equivalents and hours."""

import polars as pl

from worker_service.carbon.catalogue.quantities import PEOPLE, kilograms_per
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    Plausible,
)
from worker_service.carbon.matching import MatchByKind

_NODE = pl.lit("homeworking")

HOMEWORKING = DataEntryType(
    id=3,
    name="homeworking",
    title="Work at home",
    columns=(
        Column(
            "fte",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(PEOPLE,),
            example="1",
        ),
        Column(
            "hours_per_fte",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(Plausible(8_784, "hours", "a leap year has 8,784 hours"),),
            example="1000",
        ),
    ),
    factors=FactorColumns(
        classification=(Column("category", example="office equipment and heating"),),
        values=(
            kilograms_per(
                "ef_kg_co2eq_per_fte_hour",
                Plausible(10, "kg per FTE hour", "the UK's factor of 2024 is some 0.33"),
                example="0.3",
            ),
        ),
        emission_type=_NODE,
        kind="category",
    ),
    matching=MatchByKind(sought=pl.lit("homeworking"), every_match=True),
    formula=Formula(
        version="homeworking-1",
        written=(
            "kg = fte * hours_per_fte * ef_kg_co2eq_per_fte_hour;"
            " the sum over every factor, so load no total beside its parts"
        ),
        source=(
            "UK Government GHG conversion factors for company reporting, methodology paper,"
            " homeworking: kg CO2eq per FTE working hour"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=(pl.col("fte") * pl.col("hours_per_fte") * pl.col("ef_kg_co2eq_per_fte_hour")),
            ),
        ),
    ),
    override_type=_NODE,
)
