"""The blobs of a test's folder, as such."""

from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.store import BlobStore


def in_folder(blobs: AnyBlobStore) -> BlobStore:
    """The store, which is a folder."""
    assert isinstance(blobs, BlobStore)
    return blobs
