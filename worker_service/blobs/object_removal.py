"""Finds and deletes old blobs of an object store, while others upload the same bytes."""

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import Self

import obstore
from obstore.exceptions import AlreadyExistsError

from worker_service.blobs.object_calls import NotThere, asked, take_away, written
from worker_service.blobs.object_store import (
    REMOVING,
    ObjectBlobStore,
    note_stands,
    path_of,
    summary_path_of,
)
from worker_service.blobs.reference import BlobReference, ReferenceWrong, check_tenant
from worker_service.blobs.store import SUMMARY

LAST_LOOK = ".last_look"
LIST_CHUNK = 1_000
# Between the look at a blob's age and its deletion.
_DELETION_SECONDS_MAX = 60.0


def tenants(store: ObjectBlobStore) -> list[str]:
    """Whose blobs are stored. Blocks."""
    listed = asked(lambda: obstore.list_with_delimiter(store.objects))
    found = []
    for prefix in listed["common_prefixes"]:
        with suppress(ReferenceWrong):
            check_tenant(prefix)
            found.append(prefix)
    return sorted(found)


def old_blobs(
    store: ObjectBlobStore, tenant: str, older_than_seconds: float
) -> Iterator[BlobReference]:
    """The blobs of a tenant that were uploaded last so long ago, by their hash. Each step blocks.

    One of which only the summary is left is among them.
    """
    before, last = time.time() - older_than_seconds, ""
    pages = obstore.list(store.objects, prefix=tenant, chunk_size=LIST_CHUNK)
    while page := asked(lambda: next(iter(pages), None)):
        for one in page:
            # A store lists by name, and the bytes' is the beginning of the summary's.
            sha256 = one["path"].rpartition("/")[2].removesuffix(SUMMARY)
            if sha256 == last:
                continue
            with suppress(ReferenceWrong):
                reference = BlobReference(tenant, sha256)
                last = sha256
                if _moment(one["last_modified"]) < before:
                    yield reference


def remove_blob(
    store: ObjectBlobStore, reference: BlobReference, older_than_seconds: float
) -> int | None:
    """Deletes a blob, unless it was uploaded again meanwhile. Blocks.

    Returns the size in bytes; None if the blob stays or is gone. See `_outlive_a_removal` of an
    upload for why none is lost.
    """
    note = path_of(reference) + REMOVING
    try:
        written(lambda: obstore.put(store.objects, note, b"", mode="create"))
    except AlreadyExistsError:
        note_stands(store, note)
        return None
    noted_at = time.monotonic()
    try:
        size = _size_if_old(store, reference, older_than_seconds)
        # Whoever was stopped so long deletes nothing: the note may have been taken for abandoned.
        if size is None or time.monotonic() - noted_at > _DELETION_SECONDS_MAX:
            return None
        # The bytes first. If this process is killed behind them, the blob is missing, and not one
        # of which nothing is known; the next look deletes the summary.
        for name in (path_of(reference), summary_path_of(reference)):
            take_away(store.objects, name)
    finally:
        take_away(store.objects, note)
    return size


def _size_if_old(
    store: ObjectBlobStore, reference: BlobReference, older_than_seconds: float
) -> int | None:
    """The size of the bytes, 0 for a summary without any; None if they are young or gone."""
    for name, is_bytes in ((path_of(reference), True), (summary_path_of(reference), False)):
        with suppress(NotThere):
            found = asked(lambda name=name: obstore.head(store.objects, name))  # type: ignore[misc]
            is_old = _moment(found["last_modified"]) < time.time() - older_than_seconds
            return (found["size"] if is_bytes else 0) if is_old else None
    return None


def _moment(at: datetime) -> float:
    return at.timestamp()


class ObjectTurn:
    """A look of one process. Others may look at the same time, which does no harm."""

    def __init__(self, store: ObjectBlobStore) -> None:
        self._store = store

    def done(self) -> None:
        """The next turn comes after the pause."""
        now = f"{time.time():.3f}".encode()
        written(lambda: obstore.put(self._store.objects, LAST_LOOK, now))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""


def take_turn(store: ObjectBlobStore, pause_seconds: float) -> ObjectTurn | None:
    """A turn; None for `pause_seconds` after the last one. The first look of all waits as long."""
    turn = ObjectTurn(store)
    since = _seconds_since_last(store)
    if since is None:
        turn.done()
        since = 0.0
    return None if since < pause_seconds else turn


def _seconds_since_last(store: ObjectBlobStore) -> float | None:
    try:
        last = float(asked(lambda: bytes(obstore.get(store.objects, LAST_LOOK).bytes())))
    except (NotThere, ValueError):
        return None
    return abs(time.time() - last) if math.isfinite(last) else None
