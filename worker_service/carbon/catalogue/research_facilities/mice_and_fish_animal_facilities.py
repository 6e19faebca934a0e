"""Use of an animal facility: its share of the facility's kilograms, source by source."""

import polars as pl

from worker_service.carbon.catalogue.research_facilities.facility_use import (
    FACILITY,
    MORE_THAN_ALL,
    NO_TOTALS,
    SAME_UNIT,
    SOURCE,
    TOTAL_USE,
    USE,
    kilograms_column,
    share_of_use,
)
from worker_service.carbon.declarations import (
    Column,
    ColumnKind,
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    UnitSums,
)
from worker_service.carbon.matching import MatchByKind, Requirement
from worker_service.carbon.outcomes import EntryOutcome

# Each with the nodes of the emission tree under which a facility's own totals have it.
_NODES = {
    "processemissions": ("process_emissions",),
    "building_energycombustions": ("buildings.combustion",),
    "building_rooms": ("buildings.rooms",),
    "purchases_common": ("purchases.goods_and_services",),
    "purchases_additional": ("purchases.additional",),
    "equipments": ("equipment",),
}
_SOURCES = tuple(_NODES)
_TYPE = Column("researchfacility_type", ColumnKind.CHOICE, choices=("mice", "fish"), example="mice")
_NODE = pl.format("research_facilities.animal.{}", "researchfacility_type")


def _share(source: str) -> str:
    return f"share_{source}"


def _sum(source: str) -> str:
    return f"kg_co2eq_sum_{source}"


def _share_column(source: str) -> Column:
    return Column(
        _share(source),
        ColumnKind.NUMBER,
        required=False,
        minimum=0,
        maximum=1,
        default=0,
        example="0.5",
    )


# A source of which nothing falls to the animals needs no kilograms.
_LACKING = pl.concat_str(
    [
        pl.when((pl.col(_share(one)) > 0) & pl.col(_sum(one)).is_null()).then(pl.lit(_sum(one)))
        for one in _SOURCES
    ],
    separator=", ",
    ignore_nulls=True,
)
_KG = pl.sum_horizontal(pl.col(_share(one)) * pl.col(_sum(one)).fill_null(0.0) for one in _SOURCES)

MICE_AND_FISH_ANIMAL_FACILITIES = DataEntryType(
    id=71,
    name="mice_and_fish_animal_facilities",
    title="Animal facilities",
    columns=(*FACILITY, _TYPE, *USE),
    factors=FactorColumns(
        classification=(*FACILITY, _TYPE),
        values=(
            *TOTAL_USE,
            *(_share_column(one) for one in _SOURCES),
            *(kilograms_column(_sum(one)) for one in _SOURCES),
        ),
        emission_type=_NODE,
        kind="researchfacility_id",
        subkind="researchfacility_type",
    ),
    matching=MatchByKind(
        sought=pl.format("{} {}", "researchfacility_id", "researchfacility_type"),
        kind="researchfacility_id",
        subkind="researchfacility_type",
        beside=("use_unit",),
        requires=(
            SAME_UNIT,
            Requirement(
                met=_LACKING == "",
                outcome=EntryOutcome.MISSING_VALUE,
                detail=pl.format(
                    "the factor of {} has no {}" + NO_TOTALS, "researchfacility_id", _LACKING
                ),
            ),
        ),
    ),
    formula=Formula(
        version="mice_and_fish_animal_facilities-1",
        written=(
            "kg = use / total_use * (the sum of share * kg_co2eq_sum over processemissions,"
            " building_energycombustions, building_rooms, purchases_common, purchases_additional"
            " and equipments), 0 if total_use is 0; the factor is the one of the"
            " researchfacility_id and researchfacility_type, and its use_unit must be that of the"
            " row; a kg_co2eq_sum that the factor leaves out is that source's part of the totals"
            " of the unit whose id is the researchfacility_id"
        ),
        source=SOURCE,
        rows=(EmissionRow(emission_type=_NODE, kg=share_of_use(_KG)),),
    ),
    override_type=_NODE,
    factor_warnings=(MORE_THAN_ALL,),
    unit_sums=UnitSums(
        "researchfacility_id", tuple((_sum(one), nodes) for one, nodes in _NODES.items())
    ),
)
