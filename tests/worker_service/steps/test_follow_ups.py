"""What steps chain is what the scheduler lets them, and what it would release in their place."""

import pytest

from scheduler_service.jobs.job_types import JOB_TYPES, follow_ups
from scheduler_service.jobs.scope import Scope
from tests.worker_service.steps.claims import PLANE, TRAVEL, YEAR, claim
from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights
from worker_service.steps.follow_ups import children_of
from worker_service.worker import LEDGER_JOB_TYPES


@pytest.fixture
async def full_harness(harness: WorkerHarness) -> WorkerHarness:
    """With entries in one of its years."""
    await harness.load_units(year=YEAR + 1)
    await harness.load_flights(flights(CDG))
    return harness


async def test_a_step_chains_what_the_scheduler_would_release_after_an_end_in_doubt(
    full_harness: WorkerHarness,
) -> None:
    for job_type in LEDGER_JOB_TYPES:
        kind = "locations" if job_type == "reference_ingest" else None
        scope = Scope("local", TRAVEL, PLANE, YEAR, reference_kind=kind)
        job = claim(job_type, 10, reference_kind=kind).run.job
        chained = {
            (
                child.job_type,
                child.module or TRAVEL,
                child.data_entry_type or (PLANE if child.job_type == "emission_recalc" else None),
                child.year or YEAR,
            )
            for child in await children_of(job, full_harness.ledger)
        }
        released = {
            (child, where.module, where.data_entry_type, where.year)
            for child, where in follow_ups(job_type, scope, (YEAR,))
        }
        # Types without entries have nothing to be computed.
        with_entries = {one for one in released if one[2] in {None, PLANE}}
        assert chained == with_entries, job_type
        assert {child for child, *_ in chained} <= JOB_TYPES[job_type].children


async def test_places_are_followed_in_years_with_entries_only(full_harness: WorkerHarness) -> None:
    job = claim("reference_ingest", 10, reference_kind="locations").run.job
    children = await children_of(job, full_harness.ledger)
    assert [(child.child_key, child.year) for child in children] == [("recalc:20:2024", YEAR)]
