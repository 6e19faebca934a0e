"""Construction, renovation and demolition, by the surface of a building."""

import polars as pl

from worker_service.carbon.catalogue.quantities import kilograms_per
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

# The building of factors for buildings without factors of their own.
_DEFAULT = "default"
_NODE = pl.lit("buildings.construction_and_renovation")

BUILDING_EMBODIED_ENERGY = DataEntryType(
    id=32,
    name="building_embodied_energy",
    title="Construction and renovation",
    columns=(
        Column("building_name", example="CE"),
        Column(
            "surface_m2",
            ColumnKind.NUMBER,
            more_than=0,
            plausible=(
                Plausible(
                    1_000_000, "m2", "the Pentagon, one of the largest buildings, has 620,000 m2"
                ),
            ),
            example="80",
        ),
    ),
    factors=FactorColumns(
        classification=(
            Column("building_name", example=_DEFAULT),
            Column(
                "category",
                ColumnKind.CHOICE,
                choices=("new-tech", "new-env", "ren-tech", "ren-env", "demolition"),
                example="new-tech",
            ),
        ),
        values=(
            kilograms_per(
                "ef_kgco2eq_per_m2",
                Plausible(10_000, "kg per m2", "a m2 of a new building is some 500 to 1,000 kg"),
                example="100",
            ),
        ),
        emission_type=_NODE,
        kind="building_name",
    ),
    matching=MatchByKind(
        sought=pl.col("building_name"),
        kind="building_name",
        other_kind=_DEFAULT,
        every_match=True,
    ),
    formula=Formula(
        version="building_embodied_energy-1",
        written=(
            "kg = surface_m2 * ef_kgco2eq_per_m2;"
            " the sum over every category of the building's factors; a building without any takes"
            f" those of {_DEFAULT}"
        ),
        source=(
            "Surface times embodied greenhouse gases per category of work: SIA 2032,"
            " embodied energy of buildings"
        ),
        rows=(
            EmissionRow(emission_type=_NODE, kg=pl.col("surface_m2") * pl.col("ef_kgco2eq_per_m2")),
        ),
    ),
    override_type=_NODE,
)
