"""Deletes the blobs that were uploaded long ago and that nothing names any more."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from structlog.typing import FilteringBoundLogger

from worker_service.blobs.any_store import old_blobs, remove_blob, take_turn, tenants
from worker_service.blobs.reference import BlobReference
from worker_service.ledger.blob_scopes import database_time, forget_scopes
from worker_service.ledger.named_blobs import named_blobs
from worker_service.mechanics.scheduler import SchedulerRefused
from worker_service.steps.deletions import Deleted, nobody_counts
from worker_service.steps.stores import Stores

# Of all workers that share the folder one looks, so often. A blob that is named is read again each
# time, by its name.
LOOK_SECONDS = 24 * 3600.0
BATCH_MAX = 500

# Takes a tenant and references; returns those that a job names.
NamedByJobs: TypeAlias = Callable[[str, Sequence[str]], Awaitable[Collection[str]]]


@dataclass(frozen=True, slots=True)
class BlobRetention:
    """How long a blob is kept after its last upload although nothing names it, and who knows which
    blobs the jobs name. It raises SchedulerUnreachable or SchedulerRefused.
    """

    kept_seconds: float
    named_by_jobs: NamedByJobs


@dataclass(slots=True)
class RemovedBlobs:
    """How many blobs were deleted, and their size in bytes."""

    files: int = 0
    size_bytes: int = 0


async def remove_unnamed_blobs(
    stores: Stores,
    retention: BlobRetention,
    log: FilteringBoundLogger,
    deleted: Deleted = nobody_counts,
) -> RemovedBlobs:
    """Delete such blobs of all tenants that this worker acts for, if it is its turn to look.

    `deleted` is told how many.

    Raises DatabaseUnavailable, SchedulerUnreachable or OSError. Then the next look comes soon.
    """
    removed = RemovedBlobs()
    turn = await asyncio.to_thread(take_turn, stores.blobs, LOOK_SECONDS)
    if turn is None:
        return removed
    with turn:
        try:
            for tenant in await asyncio.to_thread(tenants, stores.blobs):
                try:
                    await _remove_of(tenant, stores, retention, removed)
                except SchedulerRefused as refused:
                    # Another institution's, of which this worker's scheduler tells it nothing.
                    log.info("blobs_stay", of_tenant=tenant, reason=str(refused))
            turn.done()
        finally:
            if removed.files:
                deleted("files", removed.files)
                deleted("file_bytes", removed.size_bytes)
                log.info("blobs_removed", files=removed.files, size_bytes=removed.size_bytes)
    return removed


async def _remove_of(
    tenant: str, stores: Stores, retention: BlobRetention, removed: RemovedBlobs
) -> None:
    old = old_blobs(stores.blobs, tenant, retention.kept_seconds)
    began_at = await database_time(stores.ledger)
    while batch := await asyncio.to_thread(_next_of, old):
        names = [str(reference) for reference in batch]
        named = {
            *await retention.named_by_jobs(tenant, names),
            *await named_blobs(stores.ledger, tenant, names),
        }
        gone: list[str] = []
        for reference in batch:
            if str(reference) in named:
                continue
            size = await asyncio.to_thread(
                remove_blob, stores.blobs, reference, retention.kept_seconds
            )
            if size is not None:
                removed.files += 1
                removed.size_bytes += size
                gone.append(str(reference))
        await forget_scopes(stores.ledger, tenant, gone, began_at)


def _next_of(old: Iterator[BlobReference]) -> list[BlobReference]:
    return list(islice(old, BATCH_MAX))
