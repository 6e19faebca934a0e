"""What a lost worker is, row by row."""

import pytest

from scheduler_service.jobs.worker_state import WorkerState, worker_state

LEASE_SECONDS = 30.0


@pytest.mark.parametrize(
    ("silent_seconds", "draining", "not_ready", "state"),
    [
        (0.0, False, "", WorkerState.LIVE),
        (0.0, True, "", WorkerState.DRAINING),
        (29.9, False, "", WorkerState.LIVE),
        (30.0, False, "", WorkerState.LIVE),
        (30.0, True, "", WorkerState.DRAINING),
        (30.1, False, "", WorkerState.LOST),
        (30.1, True, "", WorkerState.LOST),
        (30.0, False, "ledger: down", WorkerState.NOT_READY),
        (30.0, True, "ledger: down", WorkerState.DRAINING),
        (30.1, False, "ledger: down", WorkerState.LOST),
    ],
)
def test_a_worker_is_lost_when_it_is_silent_for_longer_than_a_lease(
    silent_seconds: float, draining: bool, not_ready: str, state: WorkerState
) -> None:
    found = worker_state(
        silent_seconds=silent_seconds,
        lease_seconds=LEASE_SECONDS,
        draining=draining,
        not_ready=not_ready,
    )
    assert found is state
