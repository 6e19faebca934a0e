"""A retry runs again what failed, and leaves to it what follows from it."""

from scheduler_service.jobs.failed_jobs import places_to_retry
from scheduler_service.jobs.scope import Scope

PLANES = Scope("uni", 2, 20, 2024)
TRAINS = Scope("uni", 2, 21, 2024)
TRAVEL = Scope("uni", 2, None, 2024)
PLACES = Scope("uni", reference_kind="locations")


def test_what_follows_from_another_failed_job_is_left_out() -> None:
    jobs = [
        ("csv_ingest", PLANES),
        ("emission_recalc", PLANES),
        ("emission_recalc", TRAINS),
        ("aggregation", TRAVEL),
    ]
    assert places_to_retry(jobs) == [0, 2]
    assert places_to_retry(jobs[3:]) == [0]
    assert places_to_retry([("reference_ingest", PLACES), *jobs[1:]]) == [0]
