"""Submits of what nobody has locked."""

from collections.abc import Sequence
from typing import TypeAlias

from carbonline.postgres.errors import fails_everything
from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Refused, Submission, Submitted
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.statements import Row, sparse, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork
from scheduler_service.store.core.unlocked import LockedElsewhere, Unlocked
from scheduler_service.store.submit.known_requests import RequestKey, request_of
from scheduler_service.store.submit.submit_jobs import (
    needs_of_submissions,
    parts_in_order,
    submit_jobs,
)

SubmitAnswer: TypeAlias = Submitted | Refused | LockedElsewhere


class SubmitUnlocked:
    """Batches of Submits, each without those whose key, year or duplicate somebody has locked."""

    def __init__(self, units: UnitRunner, joiners_max: int) -> None:
        """Nothing is known to be locked yet. `joiners_max` pipelines may join a job."""
        self._units = units
        self._joiners_max = joiners_max
        self._parts = Unlocked(self._together, self._locked)

    async def submit(self, submissions: Sequence[Submission]) -> list[SubmitAnswer]:
        """One answer per submission, in order: LockedElsewhere for those that were left out, and
        for those that come after one of them and ask for the same.

        Raises LockNotAvailableError if the others had to wait all the same: ask for fewer at once.
        """
        answers: list[SubmitAnswer] = []
        left_out: set[str | RequestKey] = set()
        for part in parts_in_order(submissions):
            behind = {n for n, one in enumerate(part) if left_out & _names(one)}
            try:
                found = iter(
                    await self._parts.ask([s for n, s in enumerate(part) if n not in behind])
                )
            except Exception as error:
                if not answers or fails_everything(error):
                    raise
                # What was submitted stands. Asked again, this part has a batch of its own.
                found = iter([LockedElsewhere(repr(error))] * (len(part) - len(behind)))
            told = [
                LockedElsewhere("what came before it waits") if n in behind else next(found)
                for n in range(len(part))
            ]
            for submission, answer in zip(part, told, strict=True):
                if isinstance(answer, LockedElsewhere):
                    left_out |= _names(submission)
            answers += told
        return answers

    async def _together(self, part: Sequence[Submission]) -> list[Submitted | Refused]:
        if not part:
            return []

        async def work(tx: UnitOfWork) -> list[Submitted | Refused]:
            return await submit_jobs(tx, part, self._joiners_max)

        if needs_of_submissions(part):
            return await self._units.run_shared(work)
        return await self._units.run_statement(work)

    async def _locked(self, part: Sequence[Submission]) -> set[int]:
        types = [JOB_TYPES[one.job_type] for one in part]
        scopes = [one.scope for one in part]
        pairs = list(zip(types, scopes, strict=True))

        async def look(tx: UnitOfWork) -> set[int]:
            rows = await statement("locked_submissions").rows(
                tx.conn,
                _PlaceRow,
                exclusive_keys=sparse([t.exclusive_key(s) for t, s in pairs]),
                coalesce_keys=sparse([t.coalesce_key(s) for t, s in pairs]),
                tenants=[scope.tenant for scope in scopes],
                years=sparse([t.open_year(s) for t, s in pairs]),
            )
            return {row.number - 1 for row in rows}

        return await self._units.run_shared(look)


def _names(submission: Submission) -> set[str | RequestKey]:
    """What two submissions have in common if one must not overtake the other."""
    key = JOB_TYPES[submission.job_type].exclusive_key(submission.scope)
    request = request_of(submission)
    return {request, key} if key is not None else {request}


class _PlaceRow(Row):
    """A submission, counted from 1."""

    __slots__ = ()
    number: int
