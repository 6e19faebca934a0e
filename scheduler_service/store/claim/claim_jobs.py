"""Claim: takes claimable jobs for calls that came at once, and waits for nothing."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

import asyncpg

from scheduler_service.jobs.heartbeats import Introduction
from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.jobs.scope import Scope
from scheduler_service.jobs.stored_types import job_type_of
from scheduler_service.store.claim.claim_alone import came_twice, claim_alone
from scheduler_service.store.claim.see_worker import see_worker
from scheduler_service.store.claim.seen_workers import SeenWorkers
from scheduler_service.store.core.claimed import Claimed, ClaimedJobRow
from scheduler_service.store.core.rows import SCOPES_REMEMBERED_MAX
from scheduler_service.store.core.statements import Connection, Row, statement

ANSWER_BYTES_MAX = 4 * 1024 * 1024
JOBS_TOGETHER_MAX = 1_000
# How many jobs others may hold at the head of a queue before a Claim finds less than there is.
SPARE_HEADS = 100
Identity: TypeAlias = tuple[UUID, UUID, str]
NOTHING_IN_DOUBT: Mapping[str, int] = MappingProxyType({})


class RepeatedAtOnce(Exception):
    """A call of the batch came in a second time and the other one has committed."""


async def claim_jobs(
    conn: Connection, requests: Sequence[ClaimRequest], lease_seconds: float, seen: SeenWorkers
) -> list[list[Claimed]]:
    """Per request up to max_jobs jobs, or what is still held of the same request made before.

    Requests that ask alike share a statement, which is a transaction. RepeatedAtOnce where more
    than one must be asked again, each for itself.
    """
    for request in requests:
        if seen.is_news(request.worker_id):
            await _see(conn, request)
    firsts: dict[Identity, ClaimRequest] = {}
    for request in requests:
        firsts.setdefault(_identity(request), request)
    found: dict[Identity, list[ClaimedJobRow]] = {identity: [] for identity in firsts}
    held_off: list[ClaimRequest] = []
    for alike in _alike(list(firsts.values())):
        taken, others = await _claim(conn, alike, lease_seconds)
        held_off += others
        for request, taken_row in taken:
            found[_identity(request)].append(taken_row)
    for request, row in await _replay(conn, held_off, lease_seconds, seen):
        found[_identity(request)].append(row)
    for identity, rows in found.items():
        if rows and seen.is_back(firsts[identity].worker_id):
            await _see(conn, firsts[identity])
    close = await _close_through(conn, [row for rows in found.values() for row in rows])
    claimed = {
        identity: [
            Claimed(row, row.claim_token, lease_seconds, close[row.job_id], _leaves_some(row))
            for row in rows
        ]
        for identity, rows in found.items()
    }
    return [claimed[_identity(request)] for request in requests]


def _identity(request: ClaimRequest) -> Identity:
    return request.worker_id, request.request_id, request.principal


def _alike(requests: Sequence[ClaimRequest]) -> Iterator[Sequence[ClaimRequest]]:
    """Requests for the same types of the same tenants, not for too many jobs at once."""
    groups: dict[object, list[ClaimRequest]] = {}
    for request in requests:
        groups.setdefault((request.job_types, request.tenants), []).append(request)
    for group in groups.values():
        together: list[ClaimRequest] = []
        for request in group:
            if (
                together
                and sum(w.max_jobs for w in together) + request.max_jobs > JOBS_TOGETHER_MAX
            ):
                yield together
                together = []
            together.append(request)
        yield together


async def _see(conn: Connection, request: ClaimRequest) -> None:
    introduction = Introduction(request.job_types, request.build_id, request.host)
    await see_worker(conn, request.worker_id, request.principal, request.tenants, introduction)


async def _claim(
    conn: Connection, alike: Sequence[ClaimRequest], lease_seconds: float
) -> tuple[list[tuple[ClaimRequest, ClaimedJobRow]], list[ClaimRequest]]:
    """Jobs, each with its call; and the calls that were held off, which may hold jobs already."""
    taken: list[tuple[ClaimRequest, ClaimedJobRow]] = []
    held_off: list[ClaimRequest] = []
    for request, answer in await _answers(conn, alike, lease_seconds):
        if answer is None or answer.is_held_off:
            held_off.append(request)
        elif not answer.makes_room:
            taken.append((request, answer))
        elif alone := await claim_alone(conn, request, lease_seconds):
            taken += [(request, row) for row in alone]
        else:
            held_off.append(request)
    return taken, held_off


async def _answers(
    conn: Connection, alike: Sequence[ClaimRequest], lease_seconds: float
) -> list[tuple[ClaimRequest, "_FoundRow | None"]]:
    """Rows, each with its call. None for a call that came twice and was answered meanwhile."""
    first = alike[0]
    try:
        rows = await statement("claim_jobs").rows(
            conn,
            _FoundRow,
            worker_ids=[request.worker_id for request in alike],
            request_ids=[request.request_id for request in alike],
            principals=[request.principal for request in alike],
            max_jobs=[request.max_jobs for request in alike],
            job_types=list(first.job_types),
            tenants=list(first.tenants),
            spare_heads=SPARE_HEADS,
            lease_seconds=lease_seconds,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
    except asyncpg.UniqueViolationError as error:
        if not came_twice(error):
            raise
        if len(alike) > 1:
            raise RepeatedAtOnce from error
        return [(first, None)]
    return [(alike[row.number - 1], row) for row in rows]


async def _replay(
    conn: Connection, requests: Sequence[ClaimRequest], lease_seconds: float, seen: SeenWorkers
) -> list[tuple[ClaimRequest, ClaimedJobRow]]:
    """What is still held of requests that got nothing. `seen` learns whose workers are to drain."""
    if not requests:
        return []
    rows = await statement("replay_claims").rows(
        conn,
        _RepeatedRow,
        worker_ids=[request.worker_id for request in requests],
        request_ids=[request.request_id for request in requests],
        principals=[request.principal for request in requests],
        tenants=[request.tenants for request in requests],
        lease_seconds=lease_seconds,
    )
    answers = [(requests[row.number - 1], row) for row in rows]
    seen.learn_drains((r.worker_id, r.principal) for r, row in answers if row.is_to_drain)
    return [(request, row) for request, row in answers if row.holds_job]


async def _close_through(
    conn: Connection, rows: Sequence[ClaimedJobRow]
) -> Mapping[int, Mapping[str, int]]:
    """Per job the in-doubt tokens of what it reads. Read after the claim: more is never wrong."""
    reads = {
        row.job_id: _ledger_reads(row.job_type, row.scope) if _may_have_doubts(row) else ()
        for row in rows
    }
    wanted = {(row.tenant, name) for row in rows for name in reads[row.job_id]}
    if not wanted:
        return dict.fromkeys(reads, NOTHING_IN_DOUBT)
    found = await statement("close_through").rows(
        conn,
        _CloseThroughRow,
        tenants=[tenant for tenant, _ in wanted],
        ledger_scopes=[name for _, name in wanted],
    )
    if not found:
        return dict.fromkeys(reads, NOTHING_IN_DOUBT)
    in_doubt = {(r.tenant, r.ledger_scope): r.close_through for r in found}
    return {
        row.job_id: {
            name: in_doubt[row.tenant, name]
            for name in reads[row.job_id]
            if (row.tenant, name) in in_doubt
        }
        for row in rows
    }


def _may_have_doubts(row: ClaimedJobRow) -> bool:
    """Whether a claim of its tenant may be in doubt: unknown of a job of another statement."""
    return not isinstance(row, _FoundRow) or row.has_doubts


def _leaves_some(row: ClaimedJobRow) -> bool:
    """Whether others may be claimable: unknown of a job of another statement."""
    return not isinstance(row, _FoundRow) or row.leaves_some


@lru_cache(maxsize=SCOPES_REMEMBERED_MAX)
def _ledger_reads(job_type: str, scope: Scope) -> tuple[str, ...]:
    return job_type_of(job_type).ledger_reads(scope)


class _FoundRow(ClaimedJobRow):
    """A claimed job; `has_doubts` says whether any claim of its tenant was in doubt by then, and
    `leaves_some` whether more was claimable. Of a call that `makes_room` for a job that runs alone,
    or `is_held_off`, there is only the number.
    """

    __slots__ = ()
    makes_room: bool
    is_held_off: bool
    has_doubts: bool
    leaves_some: bool


class _RepeatedRow(ClaimedJobRow):
    """A job that is still held. Of a call that holds none, and whose worker is to drain, there is
    only the number.
    """

    __slots__ = ()
    is_to_drain: bool
    holds_job: bool


class _CloseThroughRow(Row):
    __slots__ = ()
    tenant: str
    ledger_scope: str
    close_through: int
