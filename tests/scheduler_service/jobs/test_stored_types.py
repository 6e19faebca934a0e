"""What this release does with a job whose type it does not know."""

import pytest

from scheduler_service.jobs.busy_years import keeps_busy
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.pending import pending_types
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import (
    JobTypeUnknown,
    ending_type,
    job_type_of,
    may_write,
)

SCOPE = Scope("uni", 2, 20, 2024)


@pytest.mark.parametrize("name", JOB_TYPES)
def test_a_known_type_is_what_its_row_says(name: str) -> None:
    assert job_type_of(name) is ending_type(name) is JOB_TYPES[name]
    assert may_write(name) == JOB_TYPES[name].writes_data


def test_an_unknown_type_may_have_written_and_nothing_follows() -> None:
    row = ending_type("of_another_release")
    assert may_write(row.name)
    assert row.children == frozenset()
    assert (row.ledger_writes(SCOPE), row.exclusive_key(SCOPE)) == ((), None)
    with pytest.raises(JobTypeUnknown, match="does not know the job type of_another_release"):
        job_type_of("of_another_release")


def test_an_unknown_type_may_change_what_its_scope_has() -> None:
    wide = Scope("uni", 2, None, 2024)
    assert pending_types([("of_another_release", SCOPE)], 2024, ()) == {20}
    assert pending_types([("of_another_release", wide)], 2024, ()) == {20, 21, 22}


def test_an_unknown_type_keeps_a_year_from_being_locked() -> None:
    assert keeps_busy(None, "of_another_release", 2024)
    assert keeps_busy(2024, "of_another_release", 2024)
    assert not keeps_busy(2023, "of_another_release", 2024)
