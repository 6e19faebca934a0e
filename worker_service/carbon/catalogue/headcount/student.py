"""Students, by full-time equivalents of a unit: food, waste and commuting."""

import polars as pl

from worker_service.carbon.catalogue.headcount.people_factors import (
    EVERY_FACTOR,
    FACTORS_PER_PERSON,
    OVERRIDE_NODE,
    formula_per_person,
)
from worker_service.carbon.catalogue.quantities import PEOPLE
from worker_service.carbon.declarations import Column, ColumnKind, DataEntryType

STUDENT = DataEntryType(
    id=2,
    name="student",
    title="Students",
    columns=(
        Column(
            "fte",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(PEOPLE,),
            example="120.5",
        ),
    ),
    factors=FACTORS_PER_PERSON,
    matching=EVERY_FACTOR,
    formula=formula_per_person("student-1"),
    override_type=pl.lit(OVERRIDE_NODE),
)
