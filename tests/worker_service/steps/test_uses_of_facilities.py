"""A use of a facility above its factor's total_use is a warning, as long as both are so."""

from carbonline.client.json_struct import values_of
from carbonline.v1 import types_pb2
from tests.worker_service.steps.conftest import YEAR, WorkerHarness

USES = (
    "unit_institutional_id,researchfacility_id,researchfacility_name,use,use_unit\n"
    "0828,F1,Microscopy,10,hours\n0829,F1,Microscopy,150,hours\n"
)
ALL_UNITS = "is more than total_use, the 100 hours in which all have used f1: is that correct?"


async def load(harness: WorkerHarness, job_type: str, text: str) -> list[types_pb2.Job]:
    """The jobs of a pipeline over a file of facilities, after its end."""
    number = await harness.submit(
        job_type,
        text,
        module=types_pb2.MODULE_RESEARCH_FACILITIES,
        data_entry_type=types_pb2.DATA_ENTRY_TYPE_RESEARCH_FACILITIES,
        year=YEAR,
    )
    return (await harness.ended(number)).in_order()


def factor(total_use: int) -> str:
    return (
        "researchfacility_id,researchfacility_name,use_unit,total_use,kg_co2eq_sum\n"
        f"F1,Microscopy,hours,{total_use},1000\n"
    )


async def test_a_use_above_that_of_all_is_a_warning_until_the_factor_is_mended(
    harness: WorkerHarness,
) -> None:
    await harness.load_units()
    await load(harness, "factor_ingest", factor(100))
    [checked] = await load(harness, "csv_check", USES)
    [doubted] = values_of(checked.stats)["doubtful_rows"]
    assert (doubted["row"], doubted["column"], doubted["value"]) == (2, "use", "150")
    assert doubted["reason"] == ALL_UNITS

    _, recalculation, _ = await load(harness, "csv_ingest", USES)
    assert recalculation.result == types_pb2.JOB_RESULT_WARNING
    [warned] = values_of(recalculation.stats)["warned_rows"]
    assert (warned["row"], warned["column"], warned["value"]) == (2, "use", "150")
    assert warned["reason"].endswith(ALL_UNITS)

    _, mended, _ = await load(harness, "factor_ingest", factor(200))
    assert mended.result == types_pb2.JOB_RESULT_SUCCESS
    assert "warned_rows" not in values_of(mended.stats)
    _, again, _ = await load(harness, "factor_ingest", factor(120))
    [warned] = values_of(again.stats)["warned_rows"]
    assert "the 120 hours in which all" in warned["reason"]
