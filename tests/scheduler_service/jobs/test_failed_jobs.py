"""A retry runs again what failed, and leaves to it what follows from it."""

from scheduler_service.jobs.failed_jobs import kinds_to_retry
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
    assert kinds_to_retry(jobs) == {jobs[0], jobs[2]}
    assert kinds_to_retry(jobs[3:]) == {jobs[3]}
    places = ("reference_ingest", PLACES)
    assert kinds_to_retry([places, *jobs[1:]]) == {places}
