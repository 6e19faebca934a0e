"""Blobs are kept whole under their content's name, or not at all."""

import errno
import hashlib
import io
import os
from pathlib import Path

import pytest

from worker_service.blobs.any_store import AnyBlobStore
from worker_service.blobs.folder_lock import LOCK
from worker_service.blobs.reference import BlobReference, ReferenceWrong, read_reference
from worker_service.blobs.store import (
    BlobDamaged,
    BlobMissing,
    BlobReader,
    BlobStore,
    BlobTooLarge,
    BlobUnreadable,
    Kept,
)


def put(store: AnyBlobStore, content: bytes, tenant: str = "local", **summary: object) -> Kept:
    with store.begin(tenant, **summary) as upload:  # type: ignore[arg-type]
        for start in range(0, len(content), 3):
            upload.write(content[start : start + 3])
        return upload.keep()


def content_of(store: AnyBlobStore, reference: BlobReference) -> bytes:
    with store.open(reference) as reader:
        return b"".join(iter(lambda: reader.read(2), b""))


def files_in(folder: Path) -> list[str]:
    names = (path.name for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name != LOCK)


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path, bytes_max=1000)


def test_what_was_written_is_read_as_often_as_wanted(store: BlobStore) -> None:
    kept = put(store, b"a,b\n1,2\n")
    assert str(kept.reference) == "blob:sha256:" + hashlib.sha256(b"a,b\n1,2\n").hexdigest()
    assert content_of(store, kept.reference) == content_of(store, kept.reference) == b"a,b\n1,2\n"


def test_the_same_bytes_are_kept_once_with_their_first_reference(store: BlobStore) -> None:
    first = put(store, b"x", file_name="first.csv", scope={"year": 2024})
    again = put(store, b"x", file_name="again.csv")
    assert (first.already_stored, again.already_stored) == (False, True)
    summary = store.summary(first.reference)
    assert (summary.file_name, summary.size_bytes, summary.scope) == (
        "first.csv",
        1,
        {"year": 2024},
    )


def test_an_upload_that_breaks_off_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    with store.begin("local") as upload:
        upload.write(b"half")
    assert files_in(tmp_path) == []


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
    store: BlobStore, tmp_path: Path
) -> None:
    put(store, b"x" * 1000)
    before = files_in(tmp_path)
    with pytest.raises(BlobTooLarge, match="1,000 bytes"):
        put(store, b"x" * 1001)
    assert files_in(tmp_path) == before


def test_another_tenants_blob_is_missing(store: BlobStore) -> None:
    kept = put(store, b"x", tenant="mine")
    with pytest.raises(BlobMissing):
        store.open(BlobReference("yours", kept.reference.sha256))
    with pytest.raises(BlobMissing):
        store.summary(BlobReference("yours", kept.reference.sha256))


def test_bytes_that_changed_on_disk_are_noticed(store: BlobStore) -> None:
    kept = put(store, b"true")
    store.path(kept.reference).write_bytes(b"lies")
    with pytest.raises(BlobDamaged):
        content_of(store, kept.reference)


@pytest.mark.parametrize("tenant", ["", "..", "A", "a/b", "/etc", "a\0b", "x" * 65, "a\n"])
def test_no_tenant_leads_out_of_the_folder(store: BlobStore, tenant: str) -> None:
    with pytest.raises(ReferenceWrong):
        store.begin(tenant)


@pytest.mark.parametrize(
    "text", ["", "blob:", "../../etc/passwd", "blob:sha256:../x", "blob:sha256:" + "g" * 64]
)
def test_no_reference_names_anything_but_a_blob(text: str) -> None:
    with pytest.raises(ReferenceWrong):
        read_reference("local", text)


def test_what_dead_processes_left_is_collected(store: BlobStore, tmp_path: Path) -> None:
    (tmp_path / "local" / ".incoming").mkdir(parents=True)
    (tmp_path / "local" / ".incoming" / "half").write_bytes(b"never kept")
    assert store.collect_abandoned_uploads() == 0
    assert store.collect_abandoned_uploads(older_than_seconds=-1) == 1
    assert files_in(tmp_path) == []


class BrokenDisk(io.BytesIO):
    """A file on a disk that answers no read."""

    def read(self, _size: int | None = -1, /) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_that_fails_is_named_with_the_blob(store: BlobStore) -> None:
    reference = put(store, b"x").reference
    with BlobReader(reference, BrokenDisk()) as reader, pytest.raises(BlobUnreadable) as raised:
        reader.read(1)
    assert (
        str(raised.value) == f"the stored bytes of {reference} cannot be read: Input/output error"
    )
    # Whether the disk or the job is to blame is judged by it.
    assert raised.value.errno == errno.EIO
    store.path(reference).unlink()
    store.path(reference).symlink_to(store.path(reference))
    with pytest.raises(BlobUnreadable, match="symbolic links") as raised:
        store.open(reference)
    assert raised.value.errno == errno.ELOOP
