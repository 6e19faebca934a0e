"""Which live jobs may still change a year's totals, and under which keys they are found."""

import pytest

from scheduler_service.jobs.catalogue import TYPES_OF_MODULE
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.pending import keys_of_changes, pending_types
from scheduler_service.jobs.scope import Scope

PLANE, TRAVEL, YEAR = 20, 2, 2024
FACILITIES, USES = 6, 70
OF_PLANE = Scope("local", TRAVEL, PLANE, YEAR)
PLACES = Scope("local", reference_kind="locations")


@pytest.mark.parametrize(
    ("job_type", "scope", "changes"),
    [
        ("csv_ingest", OF_PLANE, True),
        ("upload_withdrawal", OF_PLANE, True),
        ("factor_ingest", OF_PLANE, True),
        ("reference_ingest", PLACES, True),
        ("unit_sync", Scope("local", year=YEAR), False),
        ("unit_removal", Scope("local"), False),
    ],
)
def test_jobs_that_a_recalculation_follows_are_found_by_their_keys(
    job_type: str, scope: Scope, changes: bool
) -> None:
    key = JOB_TYPES[job_type].exclusive_key(scope)
    assert (key in keys_of_changes("local", YEAR)) is changes
    assert pending_types([(job_type, scope)], YEAR, {PLANE}) == ({PLANE} if changes else set())


def test_totals_may_change_the_uses_of_facilities_that_have_data() -> None:
    totals = Scope("local", TRAVEL, None, YEAR)
    assert JOB_TYPES["aggregation"].exclusive_key(totals) in keys_of_changes("local", YEAR)
    assert pending_types([("aggregation", totals)], YEAR, {PLANE, USES}) == {USES}
    assert pending_types([("aggregation", totals)], YEAR, {PLANE}) == set()
    of_facilities = Scope("local", FACILITIES, None, YEAR)
    assert pending_types([("aggregation", of_facilities)], YEAR, {PLANE, USES}) == set()


def test_another_year_has_other_keys() -> None:
    key = JOB_TYPES["csv_ingest"].exclusive_key(OF_PLANE)
    assert key not in keys_of_changes("local", YEAR + 1)
    assert key not in keys_of_changes("another", YEAR)


def test_places_change_nothing_of_a_year_without_data() -> None:
    assert pending_types([("reference_ingest", PLACES)], YEAR, set()) == set()
    assert pending_types([("csv_ingest", OF_PLANE)], YEAR, set()) == {PLANE}


@pytest.mark.parametrize("job_type", ["routed_ingest", "routed_factor_ingest"])
def test_a_file_that_is_divided_may_change_each_type_of_its_module(job_type: str) -> None:
    file = Scope("local", TRAVEL, None, YEAR)
    assert JOB_TYPES[job_type].exclusive_key(file) in keys_of_changes("local", YEAR)
    assert pending_types([(job_type, file)], YEAR, set()) == set(TYPES_OF_MODULE[TRAVEL])
