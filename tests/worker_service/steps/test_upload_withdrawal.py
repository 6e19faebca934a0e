"""An upload is taken back: its entries, emissions and totals go, and nothing else."""

import pytest

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.ledger.ledger_driver import ENTRIES, LedgerDriver
from tests.worker_service.steps.claims import claim
from tests.worker_service.steps.conftest import (
    CDG,
    GVA_CDG_KG,
    GVA_JFK_KG,
    JFK,
    PLANE,
    TRAVEL,
    YEAR,
    WorkerHarness,
    flights,
)
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.mechanics.outcome import Failed, Succeeded, Written
from worker_service.mechanics.run import ClaimLost
from worker_service.steps.upload_withdrawal import run_upload_withdrawal


async def withdraw(
    harness: WorkerHarness, upload_id: int, year: int = YEAR, unit: str = ""
) -> PipelineView:
    answer = await harness.client.withdraw_upload(
        upload_id, module=TRAVEL, data_entry_type=PLANE, year=year, unit=unit
    )
    return await harness.ended(answer.pipeline_id)


def upload_of(view: PipelineView) -> int:
    number: int = values_of(view.in_order()[0].stats)["upload_id"]
    return number


async def test_what_is_withdrawn_leaves_the_totals(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG, JFK))
    other = await harness.submit_and_end(flights(CDG, CDG), source="agency b", file_name="b.csv")
    assert other.pipeline is not None
    view = await withdraw(harness, upload_of(other))
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG, "0829": GVA_JFK_KG})
    job = view.in_order()[0]
    assert job.result == types_pb2.JOB_RESULT_SUCCESS
    assert job.message == (
        f"2 rows of b.csv (pipeline {other.pipeline.pipeline_id})"
        " for all units from source agency b no longer count."
    )
    assert [one.job_type for one in view.in_order()[1:]] == ["emission_recalc", "aggregation"]


async def test_the_only_upload_may_go_and_come_again(harness: WorkerHarness) -> None:
    upload = upload_of(await harness.load_flights(flights(CDG)))
    await withdraw(harness, upload)
    assert await harness.kg() == {}
    again = await harness.load_flights(flights(CDG))
    assert again.in_order()[0].message == "1 row accepted."
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_what_was_replaced_cannot_be_withdrawn_and_is_told_by_what(
    harness: WorkerHarness,
) -> None:
    first = upload_of(await harness.load_flights(flights(CDG)))
    second = await harness.submit_and_end(flights(JFK), file_name="b.csv")
    assert second.pipeline is not None
    view = await withdraw(harness, first)
    [job] = view.in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "upload_not_found")
    assert job.message.startswith(
        f"Upload {first} no longer counts: upload {upload_of(second)} of b.csv"
        f" (pipeline {second.pipeline.pipeline_id}) has replaced it at "
    )
    assert await harness.kg() == pytest.approx({"0829": GVA_JFK_KG})


async def test_what_was_withdrawn_is_not_there_a_second_time(harness: WorkerHarness) -> None:
    upload = upload_of(await harness.load_flights(flights(CDG)))
    first = await withdraw(harness, upload)
    assert first.pipeline is not None
    [job] = (await withdraw(harness, upload)).in_order()
    assert job.error_cause == "upload_not_found"
    assert f"it was withdrawn by pipeline {first.pipeline.pipeline_id} at " in job.message


@pytest.mark.parametrize("known", [True, False], ids=["of another year", "of nobody"])
async def test_an_upload_must_be_of_the_year_and_type(harness: WorkerHarness, known: bool) -> None:
    upload = upload_of(await harness.load_flights(flights(CDG)))
    await harness.load_units(year=YEAR + 1)
    number = upload if known else 1_000_000
    [job] = (await withdraw(harness, number, YEAR + 1)).in_order()
    assert job.message == (
        f"There is no upload {number} of this type and year:"
        f" `carbonline uploads --year {YEAR + 1}` lists those that count."
    )
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


@pytest.mark.parametrize("unit", ["0828", None], ids=["of one unit", "of all units"])
async def test_who_names_a_unit_withdraws_no_upload_of_another(
    harness: WorkerHarness, unit: str | None
) -> None:
    file = flights(CDG).replace("unit_institutional_id,", "").replace("0828,", "")
    own = await harness.load_flights(file, unit=unit) if unit else None
    upload = upload_of(own or await harness.load_flights(flights(CDG)))
    [job] = (await withdraw(harness, upload, unit="0829")).in_order()
    assert (job.result, job.error_cause) == (types_pb2.JOB_RESULT_ERROR, "upload_not_found")
    assert job.message == (
        f"There is no upload {upload} of this type, year and unit (0829):"
        f" `carbonline uploads --year {YEAR} --unit 0829` lists those that count."
    )
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})


async def test_a_second_attempt_finds_the_work_of_the_first(harness: WorkerHarness) -> None:
    upload = upload_of(await harness.load_flights(flights(CDG)))
    for token in (1_000_000, 1_000_001):
        attempt = claim("upload_withdrawal", token, payload={"upload_id": upload})
        outcome = await run_upload_withdrawal(harness.stores, attempt.run)
        assert isinstance(outcome, Succeeded)
        assert outcome.stats["rows_withdrawn"] == 1
        # So the scheduler releases what must follow.
        assert outcome.written is Written.UNKNOWN


async def test_a_withdrawal_that_finds_nothing_has_written_nothing(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    before = await LedgerDriver(harness.ledger).fence()
    attempt = claim("upload_withdrawal", 1_000_000, payload={"upload_id": 5_000})
    outcome = await run_upload_withdrawal(harness.stores, attempt.run)
    assert isinstance(outcome, Failed)
    assert attempt.held.written is Written.NOTHING
    assert await LedgerDriver(harness.ledger).fence() == before


async def test_a_late_withdrawal_is_refused_by_the_fence(harness: WorkerHarness) -> None:
    upload = upload_of(await harness.load_flights(flights(CDG)))
    await close_ledger_scopes(harness.ledger, "local", {ENTRIES: 1_000_000})
    attempt = claim("upload_withdrawal", 1_000_000, payload={"upload_id": upload})
    with pytest.raises(ClaimLost):
        await run_upload_withdrawal(harness.stores, attempt.run)
    await harness.recalculate()
    assert await harness.kg() == pytest.approx({"0828": GVA_CDG_KG})
