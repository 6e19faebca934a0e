"""What is locked before jobs end together is what each of their ends needs."""

from typing import NamedTuple, cast

import pytest

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.scope import Scope
from scheduler_service.store.core.rows import EndingJobRow
from scheduler_service.store.core.unit_of_work import Needs, all_of
from scheduler_service.store.ending.end_jobs import needs_of_end, needs_of_ends


class _Row(NamedTuple):
    job_id: int
    pipeline_id: int
    job_type: str
    exclusive_key: str | None
    scope: Scope


def row_of(number: int, name: str, tenant: str = "tests") -> EndingJobRow:
    scope = Scope(tenant, 2, 20, 2024) if name != "reference_ingest" else places(tenant)
    row = _Row(number, 1000 + number, name, JOB_TYPES[name].exclusive_key(scope), scope)
    return cast("EndingJobRow", row)


def places(tenant: str) -> Scope:
    return Scope(tenant, reference_kind="locations")


@pytest.mark.parametrize("name", JOB_TYPES)
def test_a_job_alone_needs_the_same_as_in_a_batch(name: str) -> None:
    row = row_of(1, name)
    assert needs_of_ends([row]) == needs_of_end(row, ())


def test_a_batch_needs_what_each_of_its_jobs_needs() -> None:
    rows = [
        row_of(number, name, tenant)
        for number, (name, tenant) in enumerate((n, t) for n in JOB_TYPES for t in ("one", "two"))
    ]
    assert needs_of_ends(rows) == all_of(needs_of_end(row, ()) for row in rows)


def test_no_job_needs_nothing() -> None:
    assert needs_of_ends([]) == Needs()
