"""Members of staff, one person a row: food, waste and commuting by full-time equivalent."""

import polars as pl

from worker_service.carbon.catalogue.headcount.people_factors import (
    EVERY_FACTOR,
    FACTORS_PER_PERSON,
    OVERRIDE_NODE,
    formula_per_person,
)
from worker_service.carbon.declarations import Column, ColumnKind, DataEntryType, Normalisation

# The categories of staff of the Swiss universities' information system.
_SIUS_CODES = ("51", "52", "53", "54", "56", "57", "58", "59")

MEMBER = DataEntryType(
    id=1,
    name="member",
    title="Members of staff",
    columns=(
        Column("name", normalisation=Normalisation.SHOWN, example="A. Muster"),
        Column(
            "sius_code",
            ColumnKind.CHOICE,
            choices=_SIUS_CODES,
            # A spreadsheet makes numbers of them.
            aliases=tuple((f"{code}.0", code) for code in _SIUS_CODES),
            example="51",
        ),
        Column("user_institutional_id", example="123456"),
        Column("fte", ColumnKind.NUMBER, minimum=0, maximum=1, example="0.8"),
    ),
    factors=FACTORS_PER_PERSON,
    matching=EVERY_FACTOR,
    formula=formula_per_person("member-1"),
    override_type=pl.lit(OVERRIDE_NODE),
    unique=("user_institutional_id",),
)
