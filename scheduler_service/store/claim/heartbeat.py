"""Heartbeat: renews leases and takes in progress; it never writes a state."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from scheduler_service.jobs.heartbeats import Heartbeat
from scheduler_service.jobs.requests import Beat, BeatAnswer, ClaimDirective
from scheduler_service.store.claim.see_worker import see_worker
from scheduler_service.store.claim.seen_workers import SeenWorkers, WorkerNameRow
from scheduler_service.store.core.statements import Connection, Row, sparse, statement

# One statement's, so that none takes seconds and every other caller waits for it.
BEATS_TOGETHER_MAX = 5_000
# Whose beat for which claim.
_Asked: TypeAlias = tuple[UUID, str, int, int]
# The tenants of each worker and principal.
_Allowed: TypeAlias = Mapping[tuple[UUID, str], tuple[str, ...]]


async def heartbeats(
    conn: Connection, beating: Sequence[Heartbeat], lease_seconds: float, seen: SeenWorkers
) -> tuple[list[list[BeatAnswer]], frozenset[int]]:
    """Per heartbeat one answer per beat, in order; and the pipelines with new progress to show.

    A claim named twice is renewed once, with the progress that was told last.
    """
    latest = {(p.worker_id, p.principal): p for p in beating}
    for one in latest.values():
        if one.introduction and not one.is_last and seen.is_news(one.worker_id):
            await see_worker(conn, one.worker_id, one.principal, one.tenants, one.introduction)
    to_drain = await statement("touch_workers").rows(
        conn,
        WorkerNameRow,
        worker_ids=[worker_id for worker_id, _ in latest],
        principals=[principal for _, principal in latest],
        draining=[p.draining for p in latest.values()],
        not_ready=[p.not_ready for p in latest.values()],
        tenants=[p.tenants for p in latest.values()],
    )
    seen.learn_drains((row.worker_id, row.principal) for row in to_drain)
    last = {(p.worker_id, p.principal): p.tenants for p in beating if p.is_last}
    if last:
        seen.ended(await _forget(conn, last))
    asked: dict[_Asked, Beat] = {}
    for one in beating:
        for beat in one.beats:
            name = _asked(one, beat)
            if beat.progress is not None or name not in asked:
                asked[name] = beat
    allowed = {(p.worker_id, p.principal): p.tenants for p in beating}
    names = list(asked)
    rows: list[_RenewedRow] = []
    for start in range(0, len(names), BEATS_TOGETHER_MAX):
        rows += await _renew(
            conn, names[start : start + BEATS_TOGETHER_MAX], asked, allowed, lease_seconds
        )
    answers = {_named(row): _answer(row) for row in rows}
    news = {row.pipeline_with_news for row in rows if row.pipeline_with_news is not None}
    unrenewed = [name for name in names if name not in answers]
    if unrenewed:
        left = await statement("claims_not_renewed").rows(
            conn, _BeatRow, **_names(unrenewed, allowed)
        )
        answers |= {_named(row): _answer(row) for row in left}
    return [[answers[_asked(one, beat)] for beat in one.beats] for one in beating], frozenset(news)


async def _forget(conn: Connection, workers: _Allowed) -> list[UUID]:
    """Those whose rows are gone."""
    rows = await statement("forget_ended_workers").rows(
        conn,
        _WorkerRow,
        worker_ids=[worker_id for worker_id, _ in workers],
        principals=[principal for _, principal in workers],
        tenants=list(workers.values()),
    )
    return [row.worker_id for row in rows]


async def _renew(
    conn: Connection,
    names: Sequence[_Asked],
    asked: Mapping[_Asked, Beat],
    allowed: _Allowed,
    lease_seconds: float,
) -> list["_RenewedRow"]:
    told = [asked[name].progress for name in names]
    return await statement("renew_claims").rows(
        conn,
        _RenewedRow,
        **_names(names, allowed),
        lease_seconds=lease_seconds,
        done=sparse([p.done if p else None for p in told]),
        total=sparse([p.total if p else None for p in told]),
        phases=sparse([p.phase if p else None for p in told]),
        messages=sparse([p.message if p else None for p in told]),
    )


def _names(names: Sequence[_Asked], allowed: _Allowed) -> dict[str, list[Any] | None]:
    return {
        "worker_ids": [worker_id for worker_id, _, _, _ in names],
        "principals": [principal for _, principal, _, _ in names],
        "job_ids": [job_id for _, _, job_id, _ in names],
        "claim_tokens": [claim_token for _, _, _, claim_token in names],
        "tenants": [allowed[worker_id, principal] for worker_id, principal, _, _ in names],
    }


def _named(row: "_BeatRow") -> _Asked:
    return row.worker_id, row.principal, row.job_id, row.claim_token


def _asked(one: Heartbeat, beat: Beat) -> _Asked:
    return one.worker_id, one.principal, beat.job_id, beat.claim_token


def _answer(row: "_BeatRow") -> BeatAnswer:
    job_id, token = row.job_id, row.claim_token
    if row.lost:
        return BeatAnswer(job_id, token, ClaimDirective.LOST, 0.0)
    left = max(row.seconds_left or 0.0, 0.0)
    directive = ClaimDirective.CANCEL if row.draining else ClaimDirective.CONTINUE
    return BeatAnswer(job_id, token, directive, left)


class _WorkerRow(Row):
    __slots__ = ()
    worker_id: UUID


class _BeatRow(Row):
    """How a claim stands; `seconds_left` of its lease, None for one that is lost."""

    __slots__ = ()
    worker_id: UUID
    principal: str
    job_id: int
    claim_token: int
    lost: bool
    draining: bool
    seconds_left: float | None


class _RenewedRow(_BeatRow):
    """A claim that was renewed, and its pipeline if it reported progress."""

    __slots__ = ()
    pipeline_with_news: int | None
