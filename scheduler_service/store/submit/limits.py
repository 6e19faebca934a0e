"""What a Submit may add: jobs to its tenant, pipelines to a job. Nothing else is refused by it."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Disposition, Refused, Submission, Submitted
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.submit.known_requests import known_requests, request_of

LOOK_SECONDS = 1.0
# A look at a long queue takes a while, and is made less often.
PAUSE_PER_LOOK = 20
# The answers after which one more job waits.
ADDING = frozenset({Disposition.CREATED, Disposition.QUEUED_BEHIND})

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Count:
    """The jobs of a tenant that wait: those of the last look, and those that Submit made since."""

    jobs: int
    look_at: float


class LiveJobs:
    """Counts the waiting jobs of each tenant, every now and then by a look at the database."""

    def __init__(self, units: UnitRunner, jobs_max: int) -> None:
        """A tenant with `jobs_max` waiting jobs may submit no more."""
        self._units = units
        self._jobs_max = jobs_max
        self._counts: dict[str, _Count] = {}

    async def within(
        self,
        submissions: Sequence[Submission],
        submit: Callable[[Sequence[Submission]], Awaitable[Sequence[Answer]]],
    ) -> list[Answer | Refused]:
        """One answer per submission, in order: a refusal of those whose tenant has too many waiting
        jobs, and of the others what `submit` answers. A repeat is never refused.
        """
        refused = await self._refused(submissions)
        taken = [one for place, one in enumerate(submissions) if place not in refused]
        answers: list[Answer | Refused] = list(await submit(taken)) if taken else []
        for submission, answer in zip(taken, answers, strict=True):
            if isinstance(answer, Submitted) and answer.disposition in ADDING:
                self._counts[submission.scope.tenant].jobs += not submission.validate_only
        for place, refusal in sorted(refused.items()):
            answers.insert(place, refusal)
        return answers

    async def _refused(self, submissions: Sequence[Submission]) -> dict[int, Refused]:
        asked = Counter(submission.scope.tenant for submission in submissions)
        now = monotonic()
        old = [t for t in asked if t not in self._counts or self._counts[t].look_at <= now]
        if old:
            await self._look(sorted(old))
        waiting = {tenant: self._counts[tenant].jobs for tenant in asked}
        if all(waiting[tenant] + jobs <= self._jobs_max for tenant, jobs in asked.items()):
            return {}
        requests = {request_of(submission) for submission in submissions}
        known = set(await self._units.run_statement(lambda tx: known_requests(tx, requests)))
        refused = {}
        for place, submission in enumerate(submissions):
            tenant, request = submission.scope.tenant, request_of(submission)
            if request in known:
                continue
            if waiting[tenant] >= self._jobs_max:
                refused[place] = self._refusal(tenant)
            elif not submission.validate_only:
                waiting[tenant] += 1
                known.add(request)
        return refused

    async def _look(self, tenants: Sequence[str]) -> None:
        began_at = monotonic()
        async with self._units.pool.acquire() as conn:
            rows = await statement("count_live_jobs").rows(
                conn,
                _LiveJobsRow,
                tenants=tenants,
                job_types=sorted(JOB_TYPES),
                jobs_max=self._jobs_max,
            )
        now = monotonic()
        look_at = now + max(LOOK_SECONDS, PAUSE_PER_LOOK * (now - began_at))
        self._counts.update({row.tenant: _Count(row.jobs, look_at) for row in rows})

    def _refusal(self, tenant: str) -> Refused:
        return Refused(
            "TOO_MANY_LIVE_JOBS",
            f"{self._jobs_max:,} jobs of {tenant} wait already: submit again when some of them "
            "have run, or start more workers",
            {"limit": str(self._jobs_max)},
        )


async def crowded(
    tx: UnitOfWork, submissions: Sequence[Submission], places: Sequence[int], joiners_max: int
) -> dict[int, Refused]:
    """Those of the places whose job would join one that `joiners_max` pipelines have joined. The
    exclusive keys are locked, so nobody joins meanwhile.
    """
    keys = {p: k for p in places if (k := _coalesce_key(submissions[p])) is not None}
    if not keys:
        return {}
    rows = await statement("count_joiners").rows(
        tx.conn, _JoinersRow, coalesce_keys=sorted(set(keys.values())), joiners_max=joiners_max
    )
    joiners = {row.coalesce_key: row.joiners for row in rows}
    refused = {}
    for place, key in keys.items():
        if joiners.get(key, -1) >= joiners_max:
            refused[place] = Refused(
                "TOO_MANY_JOINERS",
                f"{joiners_max:,} pipelines wait for this very job already: submit again when it "
                "runs",
                {"limit": str(joiners_max)},
            )
        elif not submissions[place].validate_only:
            # The first one makes the job that the others join.
            joiners[key] = joiners.get(key, -1) + 1
    return refused


def _coalesce_key(submission: Submission) -> str | None:
    return JOB_TYPES[submission.job_type].coalesce_key(submission.scope)


class _LiveJobsRow(Row):
    __slots__ = ()
    tenant: str
    jobs: int


class _JoinersRow(Row):
    __slots__ = ()
    coalesce_key: str
    joiners: int
