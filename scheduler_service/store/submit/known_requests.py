"""Requests that were answered before."""

from collections.abc import Collection
from typing import TypeAlias
from uuid import UUID

from scheduler_service.jobs.requests import Json, Submission
from scheduler_service.store.core.statements import Row, statement
from scheduler_service.store.core.unit_of_work import UnitOfWork

RequestKey: TypeAlias = tuple[str, UUID]


class KnownRow(Row):
    """A request, and what it was answered; `disposition` is None where nobody wrote it down, and
    `retried` where it was no retry or had too many jobs.
    """

    __slots__ = ()
    tenant: str
    request_id: UUID
    body_digest: bytes
    pipeline_id: int
    job_id: int
    disposition: str | None
    retried: Json | None


def request_of(submission: Submission) -> RequestKey:
    """What makes a submission the same as an earlier one."""
    return submission.scope.tenant, submission.request_id


async def known_requests(
    tx: UnitOfWork, requests: Collection[RequestKey]
) -> dict[RequestKey, KnownRow]:
    """The requests among these that were answered before."""
    rows = await statement("known_requests").rows(
        tx.conn,
        KnownRow,
        tenants=[tenant for tenant, _ in requests],
        request_ids=[request_id for _, request_id in requests],
    )
    return {(row.tenant, row.request_id): row for row in rows}
