"""Claim: takes claimable jobs for calls that came at once, and waits for nothing."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias
from uuid import UUID

import asyncpg

from scheduler_service.jobs.job_types import JOB_TYPES
from scheduler_service.jobs.requests import Claimed, ClaimWish
from scheduler_service.store.ends import scope_of
from scheduler_service.store.seen_workers import SeenWorkers
from scheduler_service.store.statements import Connection, Row, statement

ANSWER_BYTES_MAX = 4 * 1024 * 1024
JOBS_TOGETHER_MAX = 1_000
Identity: TypeAlias = tuple[UUID, UUID, str]
NOTHING_DARK: Mapping[str, int] = MappingProxyType({})


class RepeatedAtOnce(Exception):
    """A call of the batch came in a second time and the other one has committed."""


async def claim_jobs(
    conn: Connection, wishes: Sequence[ClaimWish], lease_seconds: float, seen: SeenWorkers
) -> list[list[Claimed]]:
    """Per wish up to max_jobs jobs, or what is still held of the same request made before.

    Wishes that ask alike share a statement, which is a transaction. RepeatedAtOnce where more
    than one wish must be asked again, each for itself.
    """
    for wish in wishes:
        if seen.is_news(wish.worker_id):
            await _see(conn, wish)
    firsts: dict[Identity, ClaimWish] = {}
    for wish in wishes:
        firsts.setdefault(_identity(wish), wish)
    found: dict[Identity, list[Row]] = {identity: [] for identity in firsts}
    for alike in _alike(list(firsts.values())):
        for wish, row in await _claim(conn, alike, lease_seconds):
            found[_identity(wish)].append(row)
    empty = [wish for identity, wish in firsts.items() if not found[identity]]
    for wish, row in await _replay(conn, empty, lease_seconds):
        found[_identity(wish)].append(row)
    for identity, rows in found.items():
        if rows and seen.is_back(firsts[identity].worker_id):
            await _see(conn, firsts[identity])
    close = await _close_through(conn, [row for rows in found.values() for row in rows])
    claimed = {
        identity: [
            Claimed(row, row["claim_token"], lease_seconds, close[row["job_id"]]) for row in rows
        ]
        for identity, rows in found.items()
    }
    return [claimed[_identity(wish)] for wish in wishes]


def _identity(wish: ClaimWish) -> Identity:
    return wish.worker_id, wish.request_id, wish.principal


def _alike(wishes: Sequence[ClaimWish]) -> Iterator[Sequence[ClaimWish]]:
    """Wishes for the same types of the same tenants, not for too many jobs at once."""
    groups: dict[object, list[ClaimWish]] = {}
    for wish in wishes:
        groups.setdefault((wish.job_types, wish.tenants), []).append(wish)
    for group in groups.values():
        together: list[ClaimWish] = []
        for wish in group:
            if together and sum(w.max_jobs for w in together) + wish.max_jobs > JOBS_TOGETHER_MAX:
                yield together
                together = []
            together.append(wish)
        yield together


async def _see(conn: Connection, wish: ClaimWish) -> None:
    await statement("see_worker").run(
        conn,
        worker_id=wish.worker_id,
        principal=wish.principal,
        build_id=wish.build_id,
        host=wish.host,
        job_types=list(wish.job_types),
    )


async def _claim(
    conn: Connection, alike: Sequence[ClaimWish], lease_seconds: float
) -> list[tuple[ClaimWish, Row]]:
    first = alike[0]
    try:
        rows = await statement("claim_jobs").rows(
            conn,
            worker_ids=[wish.worker_id for wish in alike],
            request_ids=[wish.request_id for wish in alike],
            principals=[wish.principal for wish in alike],
            max_jobs=[wish.max_jobs for wish in alike],
            job_types=list(first.job_types),
            tenants=None if first.tenants is None else list(first.tenants),
            lease_seconds=lease_seconds,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
    except asyncpg.UniqueViolationError as error:
        # The first call of a request committed while the repeat was on its way.
        if len(alike) > 1:
            raise RepeatedAtOnce from error
        return []
    return [(alike[row["number"] - 1], row) for row in rows]


async def _replay(
    conn: Connection, wishes: Sequence[ClaimWish], lease_seconds: float
) -> list[tuple[ClaimWish, Row]]:
    if not wishes:
        return []
    rows = await statement("replay_claims").rows(
        conn,
        worker_ids=[wish.worker_id for wish in wishes],
        request_ids=[wish.request_id for wish in wishes],
        principals=[wish.principal for wish in wishes],
        lease_seconds=lease_seconds,
    )
    return [(wishes[row["number"] - 1], row) for row in rows]


async def _close_through(conn: Connection, rows: Sequence[Row]) -> Mapping[int, Mapping[str, int]]:
    """Per job the dark tokens of what it reads. Read after the claim: more is never wrong."""
    reads = {row["job_id"]: JOB_TYPES[row["job_type"]].ledger_reads(scope_of(row)) for row in rows}
    wanted = sorted({(row["tenant"], name) for row in rows for name in reads[row["job_id"]]})
    if not wanted:
        return dict.fromkeys(reads, NOTHING_DARK)
    found = await statement("close_through").rows(
        conn,
        tenants=[tenant for tenant, _ in wanted],
        ledger_scopes=[name for _, name in wanted],
    )
    dark = {(r["tenant"], r["ledger_scope"]): r["close_through"] for r in found}
    return {
        row["job_id"]: {
            name: dark[row["tenant"], name]
            for name in reads[row["job_id"]]
            if (row["tenant"], name) in dark
        }
        for row in rows
    }
