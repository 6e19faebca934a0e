"""A full object store: told in its own words, and unusable until it has room."""

import errno

import pytest

from tests.worker_service.blobs.faulty_s3 import FaultyS3
from tests.worker_service.blobs.test_object_store import s3, server, store
from tests.worker_service.blobs.test_store import put
from worker_service.blobs.object_store import ObjectBlobStore
from worker_service.blobs.reference import BlobReference
from worker_service.blobs.store import BlobFolderUnusable, BlobUnreadable, ObjectStoreFailed
from worker_service.ledger.canary import Canary
from worker_service.ledger_and_blobs import LedgerAndBlobs

__all__ = ["s3", "server", "store"]


def test_a_full_store_is_unusable_until_it_has_room_and_nothing_is_left_of_the_look(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    store.check_usable()
    there = s3.names()
    s3.faults["PUT"] = (403, "QuotaExceeded")
    with pytest.raises(ObjectStoreFailed) as failed:
        put(store, b"another")
    for _ in range(2):
        with pytest.raises(BlobFolderUnusable, match=r"store is full \(403 QuotaExceeded\)"):
            store.check_usable()
    s3.faults.clear()
    store.check_usable()
    assert s3.names() == there
    needs = LedgerAndBlobs(Canary("postgresql://nowhere/none", "test"), store)
    full = "blobs: the object store is full (403 QuotaExceeded)"
    assert needs.blamed(failed.value) == full
    unreadable = BlobUnreadable(BlobReference("local", "0" * 64), failed.value)
    unreadable.__cause__ = failed.value
    assert needs.blamed(unreadable) == full
    assert needs.blamed(OSError(errno.ENOSPC, "")) == "blobs: No space left on device"
