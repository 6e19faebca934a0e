"""Submits the jobs of schedules at their ticks, each once, whatever the number of schedulers."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic

from scheduler_service.jobs.requests import Refused, Submission, Submitted
from scheduler_service.jobs.schedules import (
    PASSED_OVER_MAX,
    NextTick,
    TickDone,
    TickOutcome,
    outcome_of,
    passed_over,
    request_id_of,
    tick_after,
)
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.jobs.ticks import year_of
from scheduler_service.store.core.run_units import UnitRunner
from scheduler_service.store.core.set_aside import Step
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import Event, UnitOfWork
from scheduler_service.store.reads.rows import ScheduleRow
from scheduler_service.store.submit.submit_jobs import submit_jobs
from scheduler_service.store.sweep.set_asides import DueRow, SetAsides
from scheduler_service.store.sweep.sweep import BATCH_MAX, STEP_SECONDS_MAX

SAYS = {
    TickOutcome.SUBMITTED: "",
    TickOutcome.OVERLAPPED: "the pipeline of an earlier tick has not ended",
    TickOutcome.MISSED: "nobody had submitted it five minutes after it was due",
}


class SubmitTicks:
    """Looks for ticks that are due. One per store."""

    def __init__(
        self,
        units: UnitRunner,
        set_asides: SetAsides,
        joiners_max: int,
        told: Callable[[Sequence[TickDone]], None],
    ) -> None:
        """`joiners_max` pipelines may join a job. A schedule that fails is set aside. `told` hears
        what became of the ticks of each batch, also if the look fails behind it.
        """
        self._units = units
        self._set_asides = set_asides
        self._joiners_max = joiners_max
        self._told = told

    async def look(self) -> Sequence[TickDone]:
        """What became of the ticks that are due, one of each schedule."""
        done: list[TickDone] = []
        time, schedule_id, ends_at = None, 0, monotonic() + STEP_SECONDS_MAX
        while monotonic() < ends_at:
            async with self._units.pool.acquire() as conn:
                rows = await statement("due_schedules").rows(
                    conn,
                    _DueScheduleRow,
                    after_time=time,
                    after_schedule_id=schedule_id,
                    schedules_max=BATCH_MAX,
                )
            of_these = await self._set_asides.do_each(Step.SCHEDULE, rows, self._submit, ())
            self._told(of_these)
            done += of_these
            if len(rows) < BATCH_MAX:
                break
            time, schedule_id = rows[-1].due_at, rows[-1].schedule_id
        return done

    async def _submit(
        self, tx: UnitOfWork, due: Sequence["_DueScheduleRow"]
    ) -> tuple[TickDone, ...]:
        """Submit what is still due and say so in its schedule: both, or neither of them."""
        taken = await statement("take_ticks").rows(
            tx.conn, ScheduleRow, schedule_ids=[row.schedule_id for row in due]
        )
        if not taken:
            return ()
        busy = await _busy(tx, taken)
        outcomes = [
            outcome_of(
                row.now, row.due_at, runs_late=row.runs_late, is_busy=row.last_pipeline_id in busy
            )
            for row in taken
        ]
        submitting = [
            row
            for row, outcome in zip(taken, outcomes, strict=True)
            if outcome is TickOutcome.SUBMITTED
        ]
        answers = iter(
            await submit_jobs(tx, [_submission(row) for row in submitting], self._joiners_max)
            if submitting
            else ()
        )
        coming = [_next_tick(row) for row in taken]
        done = [
            _done(row, outcome, next(answers) if outcome is TickOutcome.SUBMITTED else None, then)
            for row, outcome, then in zip(taken, outcomes, coming, strict=True)
        ]
        await _save(tx, taken, done, coming)
        return tuple(done)


async def _busy(tx: UnitOfWork, taken: Sequence[ScheduleRow]) -> set[int | None]:
    """The pipelines of their last ticks that have not ended."""
    last = [row.last_pipeline_id for row in taken if row.last_pipeline_id is not None]
    if not last:
        return set()
    rows = await statement("busy_pipelines").rows(tx.conn, _BusyRow, pipeline_ids=last)
    return {row.pipeline_id for row in rows}


def _next_tick(row: ScheduleRow) -> NextTick:
    following = tick_after(row, row.next_tick, row.now)
    if following is None:
        raise ValueError(f"{row.cron} names no moment any more")
    return following


async def _save(
    tx: UnitOfWork,
    taken: Sequence[ScheduleRow],
    done: Sequence[TickDone],
    coming: Sequence[NextTick],
) -> None:
    await statement("advance_schedules").run(
        tx.conn,
        schedule_ids=[row.schedule_id for row in taken],
        ticks=[row.next_tick for row in taken],
        outcomes=[one.outcome.value for one in done],
        messages=[one.message for one in done],
        pipeline_ids=[one.pipeline_id for one in done],
        next_ticks=[one.tick for one in coming],
        due_ats=[one.due_at for one in coming],
    )
    made = [one for one in done if one.pipeline_id is not None]
    if made:
        await statement("name_schedules").run(
            tx.conn,
            pipeline_ids=[one.pipeline_id for one in made],
            schedules=[one.schedule for one in made],
        )
    tx.events += [
        Event(one.tenant, one.pipeline_id, None, None, "scheduled", _words(one))
        for one in made
        if one.pipeline_id is not None
    ]


def _submission(row: ScheduleRow) -> Submission:
    request_id = request_id_of(row.schedule_id, row.next_tick)
    scope = row.scope
    if scope.year is None and "year" in job_type_of(row.job_type).needs:
        scope = replace(scope, year=year_of(row.next_tick, row.time_zone))
    return Submission(
        request_id=request_id,
        # A schedule never changes, so that one request has one body.
        body_digest=hashlib.sha256(request_id.bytes).digest(),
        job_type=row.job_type,
        scope=scope,
        payload=row.payload,
        priority=row.priority,
        submitted_by=row.created_by,
    )


def _done(
    row: ScheduleRow, outcome: TickOutcome, answer: Submitted | Refused | None, coming: NextTick
) -> TickDone:
    pipeline_id, message = None, SAYS[outcome]
    match answer:
        case Submitted():
            pipeline_id = answer.pipeline_id
        case Refused():
            outcome, message = TickOutcome.REFUSED, f"{answer.message} [{answer.reason}]"
        case None:
            pass
    missed = passed_over(row, row.next_tick, coming.tick)
    return TickDone(
        row.tenant,
        row.name,
        row.job_type,
        row.next_tick,
        outcome,
        pipeline_id,
        "; ".join(filter(None, (message, _missed_words(missed)))),
        missed,
    )


def _missed_words(ticks: int) -> str:
    if not ticks:
        return ""
    if ticks == 1:
        return "one tick behind it was missed"
    more = " or more" if ticks == PASSED_OVER_MAX else ""
    return f"{ticks:,}{more} ticks behind it were missed"


def _words(done: TickDone) -> str:
    return f"schedule {done.schedule}, tick of {done.tick.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


class _DueScheduleRow(DueRow):
    __slots__ = ()
    schedule_id: int
    due_at: datetime


class _BusyRow(Row):
    __slots__ = ()
    pipeline_id: int
