"""What factors per person have in common: food, waste and commuting of one full-time equivalent."""

import polars as pl

from worker_service.carbon.catalogue.quantities import kilograms_per
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    EmissionRow,
    FactorColumns,
    Formula,
    Normalisation,
    Plausible,
    RowCheck,
)
from worker_service.carbon.emission_tree import EMISSION_TYPES
from worker_service.carbon.matching import MatchByKind

# A person's kilograms that are given as one number are of no part of the tree.
OVERRIDE_NODE = "headcount"

_PARTS = ("headcount_category", "headcount_class", "headcount_subclass")
_NODE = pl.concat_str(
    [pl.col(part).str.replace_all(r"[ -]+", "_") for part in _PARTS],
    separator=".",
    ignore_nulls=True,
)
_NODES = [path for path in EMISSION_TYPES if path.startswith(("food.", "waste.", "commuting."))]
_UNITS = pl.col("fte") * pl.col("number_of_unit_per_fte")

FACTORS_PER_PERSON = FactorColumns(
    classification=(
        Column(
            "headcount_category",
            ColumnKind.CHOICE,
            choices=("food", "waste", "commuting"),
            example="food",
        ),
        Column("headcount_class", example="vegetarian"),
        Column("headcount_subclass", required=False),
        Column("unit", normalisation=Normalisation.SHOWN, example="meal"),
    ),
    values=(
        Column(
            "number_of_unit_per_fte",
            ColumnKind.NUMBER,
            minimum=0,
            plausible=(
                Plausible(
                    100_000, "units per FTE", "a year's way to work and back is some 20,000 km"
                ),
            ),
            example="100",
        ),
        kilograms_per(
            "ef_kg_co2eq_per_unit",
            Plausible(1_000, "kg per unit", "a kg of beef is some 100 kg"),
            example="1.5",
        ),
    ),
    emission_type=_NODE,
    kind="headcount_category",
    subkind="headcount_class",
    checks=(
        RowCheck(
            "headcount_class",
            when=~_NODE.is_in(_NODES),
            reason=pl.format("makes {}, which is not a node of the emission tree", _NODE),
        ),
    ),
)
EVERY_FACTOR = MatchByKind(sought=pl.lit("people"), every_match=True)


def formula_per_person(version: str) -> Formula:
    """The formula of members and students, who differ by their columns only."""
    return Formula(
        version=version,
        written=(
            "kg = fte * number_of_unit_per_fte * ef_kg_co2eq_per_unit;"
            " once for every factor of food, waste and commuting, each on its own node of the"
            " emission tree. The additional value is the number of units"
        ),
        source=(
            "Full-time equivalents times average activity times factor: GHG Protocol,"
            " guidance for calculating GHG scope 3 emissions, average-data method,"
            " categories 1, 5 and 7"
        ),
        rows=(
            EmissionRow(
                emission_type=_NODE,
                kg=_UNITS * pl.col("ef_kg_co2eq_per_unit"),
                additional_value=_UNITS,
            ),
        ),
    )
