"""Claims in a test's own hands: the run that a step gets, without a worker around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.clock import seconds_now
from worker_service.mechanics.held_claim import HeldClaim
from worker_service.mechanics.lease_keeper import LeaseKeeper
from worker_service.mechanics.live_run import LiveRun
from worker_service.mechanics.scheduler import ChildRequest, Scheduler

TRAVEL, PLANE, YEAR = 2, 20, 2024


class _Silent:
    """Nobody is told of progress."""

    def wake_soon(self) -> None:
        """Says nothing."""


@dataclass
class _Chaining:
    """Takes children and nothing else."""

    children: list[ChildRequest] = field(default_factory=list)

    async def chain(self, _job_id: int, _token: int, children: Sequence[ChildRequest]) -> int:
        """Keeps them."""
        self.children += children
        return len(self.children)


@dataclass
class Claim:
    """A claim, its run, and what it chained."""

    held: HeldClaim
    run: LiveRun
    children: list[ChildRequest]


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
) -> Claim:
    """Of a job over planes in 2024, whose only claim this is if no `job_id` is given."""
    job = ClaimedJob(
        job_id=token if job_id is None else job_id,
        pipeline_id=1,
        tenant="local",
        job_type=job_type,
        claim_token=token,
        lease_seconds=lease_seconds,
        module=TRAVEL,
        data_entry_type=PLANE,
        year=YEAR,
        reference_kind=reference_kind,
        payload=payload,
        close_through=close_through,
        attempt=attempt,
    )
    held = HeldClaim(job, seconds_now())
    chaining = _Chaining()
    run = LiveRun(held, cast("LeaseKeeper", _Silent()), cast("Scheduler", chaining))
    return Claim(held, run, chaining.children)
