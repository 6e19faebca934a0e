"""Where blobs are: a folder, or an object store. Both keep the same promises."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from worker_service.blobs import removal
from worker_service.blobs.reference import BlobReference
from worker_service.blobs.store import BLOB_BYTES_MAX, BlobStore

if TYPE_CHECKING:
    from worker_service.blobs.object_removal import ObjectTurn
    from worker_service.blobs.object_store import ObjectBlobStore

AnyBlobStore: TypeAlias = Union[BlobStore, "ObjectBlobStore"]


def blob_store(folder: Path, url: str, bytes_max: int = BLOB_BYTES_MAX) -> AnyBlobStore:
    """The store at a URL, or else in a folder."""
    if not url:
        return BlobStore(folder, bytes_max)
    # The library of object stores is an extra.
    from worker_service.blobs.object_store import ObjectBlobStore  # noqa: PLC0415

    return ObjectBlobStore(url, bytes_max)


def take_turn(store: AnyBlobStore, pause_seconds: float) -> "removal.Turn | ObjectTurn | None":
    """A turn to look for old blobs, as `removal.take_turn`."""
    if isinstance(store, BlobStore):
        return removal.take_turn(store, pause_seconds)
    from worker_service.blobs import object_removal  # noqa: PLC0415

    return object_removal.take_turn(store, pause_seconds)


def tenants(store: AnyBlobStore) -> list[str]:
    """Whose blobs are stored. Blocks."""
    if isinstance(store, BlobStore):
        return removal.tenants(store)
    from worker_service.blobs import object_removal  # noqa: PLC0415

    return object_removal.tenants(store)


def old_blobs(store: AnyBlobStore, tenant: str, older_than: float) -> Iterator[BlobReference]:
    """The blobs of a tenant that were uploaded last so many seconds ago. Each step blocks."""
    if isinstance(store, BlobStore):
        return removal.old_blobs(store, tenant, older_than)
    from worker_service.blobs import object_removal  # noqa: PLC0415

    return object_removal.old_blobs(store, tenant, older_than)


def remove_blob(store: AnyBlobStore, reference: BlobReference, older_than: float) -> int | None:
    """Deletes a blob, unless it was uploaded again meanwhile, as `removal.remove_blob`."""
    if isinstance(store, BlobStore):
        return removal.remove_blob(store, reference, older_than)
    from worker_service.blobs import object_removal  # noqa: PLC0415

    return object_removal.remove_blob(store, reference, older_than)
