"""Claims in a test's own hands: the run that a step gets, without a worker around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.held_claim import HeldClaim
from worker_service.mechanics.lease_keeper import LeaseKeeper
from worker_service.mechanics.live_run import LiveRun
from worker_service.mechanics.scheduler import Scheduler

TRAVEL, PLANE, YEAR = 2, 20, 2024


class _Silent:
    """Nobody is told of progress."""

    def wake_soon(self) -> None:
        """Says nothing."""


@dataclass
class Claim:
    """A claim, and its run."""

    held: HeldClaim
    run: LiveRun


def claim(
    job_type: str,
    token: int,
    *,
    job_id: int | None = None,
    lease_seconds: float = 60.0,
    payload: Mapping[str, Any] = {},
    close_through: Mapping[str, int] = {},
    reference_kind: str | None = None,
    attempt: int = 1,
    pipeline_id: int = 1,
    module: int = TRAVEL,
    data_entry_type: int | None = PLANE,
) -> Claim:
    """Of a job in 2024, over planes where nothing else is said, whose only claim this is if no
    `job_id` is given.
    """
    job = ClaimedJob(
        job_id=token if job_id is None else job_id,
        pipeline_id=pipeline_id,
        tenant="local",
        job_type=job_type,
        claim_token=token,
        lease_seconds=lease_seconds,
        module=module,
        data_entry_type=data_entry_type,
        year=YEAR,
        reference_kind=reference_kind,
        payload=payload,
        close_through=close_through,
        attempt=attempt,
    )
    held = HeldClaim(job, seconds_now())
    # No step asks the scheduler for anything.
    run = LiveRun(held, cast("LeaseKeeper", _Silent()), cast("Scheduler", None))
    return Claim(held, run)
