"""Use of a shared research facility: its share of the facility's kilograms."""

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
    DataEntryType,
    EmissionRow,
    FactorColumns,
    Formula,
    UnitSums,
)
from worker_service.carbon.matching import MatchByKind, Requirement
from worker_service.carbon.outcomes import EntryOutcome

# Computing centres: they count as information technology, too.
_IT_FACILITIES = ("scitas", "rcp")
_IS_IT = pl.col("researchfacility_name").is_in(_IT_FACILITIES)
_NODE = (
    pl.when(_IS_IT)
    .then(pl.format("research_facilities.it_facilities.{}", "researchfacility_name"))
    .otherwise(pl.lit("research_facilities.facilities"))
)

RESEARCH_FACILITIES = DataEntryType(
    id=70,
    name="research_facilities",
    title="Research facilities",
    columns=(*FACILITY, *USE),
    factors=FactorColumns(
        classification=FACILITY,
        values=(*TOTAL_USE, kilograms_column("kg_co2eq_sum")),
        emission_type=_NODE,
        kind="researchfacility_id",
    ),
    matching=MatchByKind(
        sought=pl.col("researchfacility_id"),
        kind="researchfacility_id",
        beside=("use_unit",),
        requires=(
            SAME_UNIT,
            Requirement(
                met=pl.col("kg_co2eq_sum").is_not_null(),
                outcome=EntryOutcome.MISSING_VALUE,
                detail=pl.format(
                    "the factor of {} has no kg_co2eq_sum" + NO_TOTALS, "researchfacility_id"
                ),
            ),
        ),
    ),
    formula=Formula(
        version="research_facilities-1",
        written=(
            "kg = use / total_use * kg_co2eq_sum, 0 if total_use is 0; the factor is the one of"
            " the researchfacility_id, and its use_unit must be that of the row; a kg_co2eq_sum"
            " that the factor leaves out is the sum of the totals of the unit whose id is the"
            " researchfacility_id, over all other modules"
        ),
        source=SOURCE,
        rows=(EmissionRow(emission_type=_NODE, kg=share_of_use(pl.col("kg_co2eq_sum"))),),
    ),
    override_type=_NODE,
    factor_warnings=(MORE_THAN_ALL,),
    unit_sums=UnitSums("researchfacility_id", (("kg_co2eq_sum", ()),)),
)
