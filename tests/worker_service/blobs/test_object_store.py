"""Blobs in an object store keep the promises of a folder: an emulator of S3 is asked over HTTP."""

import hashlib
import json
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import obstore
import pytest
from obstore.store import LocalStore, ObjectStore

from tests.worker_service.blobs.faulty_s3 import BUCKET, KEY, SECRET, FaultyS3, faulty_s3
from tests.worker_service.blobs.test_store import content_of, put
from tests.worker_service.blobs.test_summary import DAMAGES
from worker_service.blobs import object_removal
from worker_service.blobs.any_store import blob_store, old_blobs, remove_blob, take_turn, tenants
from worker_service.blobs.object_calls import take_away
from worker_service.blobs.object_store import (
    PART_BYTES,
    REMOVING,
    ObjectBlobStore,
    path_of,
    summary_path_of,
)
from worker_service.blobs.object_urls import fault_of_url, is_url
from worker_service.blobs.reference import BlobReference
from worker_service.blobs.store import (
    BlobDamaged,
    BlobFolderUnusable,
    BlobMissing,
    BlobStore,
    BlobTooLarge,
    BlobUnreadable,
    ObjectStoreFailed,
)

URL = f"s3://{BUCKET}/of/carbonline"
FILE, DAY = b"a,b\n1,2\n", 24 * 3600.0


@pytest.fixture(scope="module")
def server() -> Iterator[FaultyS3]:
    with faulty_s3() as s3:
        yield s3


@pytest.fixture
def s3(server: FaultyS3, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyS3]:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    yield server
    server.faults.clear()
    server.delete(*server.names())


@pytest.fixture
def store(s3: FaultyS3) -> ObjectBlobStore:
    opened = blob_store(Path(), URL, bytes_max=3 * PART_BYTES)
    assert isinstance(opened, ObjectBlobStore)
    opened.check_usable()
    return opened


def test_what_was_written_is_read_as_often_as_wanted(store: ObjectBlobStore) -> None:
    kept = put(store, FILE, file_name="a.csv", scope={"year": 2024})
    assert str(kept.reference) == "blob:sha256:" + hashlib.sha256(FILE).hexdigest()
    assert content_of(store, kept.reference) == content_of(store, kept.reference) == FILE
    again = put(store, FILE, file_name="again.csv")
    assert (kept.already_stored, again.already_stored) == (False, True)
    summary = store.summary(kept.reference)
    assert (summary.file_name, summary.size_bytes) == ("a.csv", len(FILE))
    assert summary.scope == {"year": 2024}
    assert content_of(store, put(store, b"").reference) == b""


def test_a_folder_that_was_copied_into_a_bucket_is_its_store(
    store: ObjectBlobStore, s3: FaultyS3, tmp_path: Path
) -> None:
    folder = BlobStore(tmp_path)
    kept = put(folder, FILE, file_name="a.csv", scope={"year": 2024})
    folder.check_usable()
    with folder.begin("local") as unfinished:
        unfinished.write(FILE)
        # As docs/operating.md says: names and all, but for names that begin with a dot.
        for path in tmp_path.rglob("*"):
            name = path.relative_to(tmp_path)
            if path.is_file() and not any(part.startswith(".") for part in name.parts):
                s3.put(f"of/carbonline/{name}", path.read_bytes())
    assert content_of(store, kept.reference) == FILE
    assert store.summary(kept.reference) == folder.summary(kept.reference)
    assert tenants(store) == ["local"]
    assert list(old_blobs(store, "local", -DAY)) == [kept.reference]
    assert put(store, FILE).already_stored
    assert remove_blob(store, kept.reference, -DAY) == len(FILE)
    assert [name for name in s3.names() if "/local/" in name] == []


def test_tenants_and_prefixes_see_only_their_own(store: ObjectBlobStore) -> None:
    kept = put(store, FILE)
    with pytest.raises(BlobMissing):
        store.open(BlobReference("other", kept.reference.sha256))
    beside = ObjectBlobStore(f"s3://{BUCKET}/elsewhere")
    beside.check_usable()
    with pytest.raises(BlobMissing):
        beside.open(kept.reference)
    with pytest.raises(BlobMissing):
        beside.summary(kept.reference)


def test_a_large_file_goes_in_parts_and_comes_in_parts(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    piece = hashlib.sha256(b"x").digest() * (1 << 15)
    s3.largest = s3.parts = 0
    with store.begin("local") as upload:
        for _ in range(20):
            upload.write(piece)
        kept = upload.keep()
    assert s3.parts == 3
    assert s3.largest <= PART_BYTES
    with store.open(kept.reference) as reader:
        sizes = [len(read) for read in iter(lambda: reader.read(1 << 20), b"")]
    assert (sum(sizes), max(sizes)) == (20 << 20, 1 << 20)


def test_an_upload_that_is_too_large_or_breaks_off_leaves_nothing(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    before = s3.names()
    with store.begin("local") as upload:
        for _ in range(3):
            upload.write(b"x" * PART_BYTES)
        with pytest.raises(BlobTooLarge):
            upload.write(b"x")
    with store.begin("local") as upload:
        upload.write(b"half")
    assert s3.names() == before
    assert store.collect_abandoned_uploads() == 0


def test_damaged_bytes_are_told_and_replaced_by_another_upload(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    reference = put(store, FILE).reference
    s3.put(f"of/carbonline/{path_of(reference)}", FILE.replace(b"1", b"7"))
    with pytest.raises(BlobDamaged):
        content_of(store, reference)
    put(store, FILE)
    assert content_of(store, reference) == FILE


def test_a_lost_summary_is_told_and_mended_by_an_upload(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    reference = put(store, b"x", file_name="first.csv").reference
    for damage in DAMAGES[:2]:
        s3.put(f"of/carbonline/{summary_path_of(reference)}", damage)
        with pytest.raises(BlobDamaged, match="is lost: upload the file again, which mends it"):
            store.summary(reference)
        assert put(store, b"x", file_name="again.csv").already_stored
        assert store.summary(reference).file_name == "again.csv"


def test_one_of_two_is_first(store: ObjectBlobStore, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not put(store, FILE).described_before
    monkeypatch.setattr(store, "has", lambda _name: False)
    monkeypatch.setattr(store, "is_there", lambda _reference: True)
    assert put(store, FILE).described_before


def test_a_missing_object_has_nothing_to_do_with_the_store(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    reference = put(store, FILE).reference
    s3.delete(f"of/carbonline/{path_of(reference)}")
    with pytest.raises(BlobMissing):
        store.open(reference)


def test_another_bucket_in_its_place_is_a_fault_of_the_store(
    store: ObjectBlobStore, s3: FaultyS3
) -> None:
    reference = put(store, FILE).reference
    s3.delete(*s3.names())
    with pytest.raises(ObjectStoreFailed, match="not the object store that was used before"):
        store.open(reference)
    with pytest.raises(BlobFolderUnusable, match="restart this process"):
        store.check_usable()


FAULTS = {
    "expired": ("ExpiredToken", 400, "refuses access .400 ExpiredToken.: check the credentials"),
    "denied": ("AccessDenied", 403, "refuses access .403 AccessDenied.: check the credentials"),
    "wrong key": ("InvalidAccessKeyId", 403, "refuses access"),
    "full": ("QuotaExceeded", 403, "the object store is full"),
    "full disk": ("InsufficientStorage", 507, "the object store is full"),
    "a bug": ("InvalidArgument", 400, "answers with an error .400 InvalidArgument."),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_failed_upload_is_a_sentence_and_the_earlier_blob_stays(
    store: ObjectBlobStore, s3: FaultyS3, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    code, status, sentence = FAULTS[name]
    reference = put(store, FILE).reference
    s3.faults["PUT"] = (status, code)
    for content in (FILE, b"another"):
        with pytest.raises(ObjectStoreFailed, match=sentence) as failed:
            put(store, content)
        shown = f"{failed.value!r} {failed.value} {failed.value.__cause__!r} {caplog.text}"
        assert KEY not in shown
        assert SECRET not in shown
    s3.faults.clear()
    assert content_of(store, reference) == FILE
    with pytest.raises(BlobMissing):
        store.open(BlobReference("local", hashlib.sha256(b"another").hexdigest()))


def test_reading_fails_with_a_sentence_too(store: ObjectBlobStore, s3: FaultyS3) -> None:
    reference = put(store, FILE).reference
    with store.open(reference) as reader:
        s3.faults["GET"] = (403, "AccessDenied")
        with pytest.raises(BlobUnreadable, match="refuses access") as failed:
            reader.read(10)
    assert isinstance(failed.value.__cause__, ObjectStoreFailed)
    with pytest.raises(BlobFolderUnusable, match="refuses access"):
        store.check_usable()


def test_a_store_that_nobody_answers_for_and_a_bucket_that_is_not_there(
    s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BlobFolderUnusable, match="no such bucket"):
        ObjectBlobStore("s3://nowhere/x").check_usable()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(BlobFolderUnusable, match="does not answer"):
        ObjectBlobStore(URL).check_usable()


def aged(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """From now on, so much later: the store's own moments are of before."""
    later = time.time() + seconds
    monkeypatch.setattr("worker_service.blobs.object_removal.time.time", lambda: later)


def test_old_blobs_are_found_and_removed_and_young_ones_stay(
    store: ObjectBlobStore, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = [put(store, bytes([n])).reference for n in range(5)]
    put(store, b"of another", tenant="other")
    alone = put(store, b"alone").reference
    s3.delete(f"of/carbonline/{path_of(alone)}")
    assert tenants(store) == ["local", "other"]
    assert list(old_blobs(store, "local", DAY)) == []
    assert remove_blob(store, old[0], DAY) is None
    aged(monkeypatch, 2 * DAY)
    found = {one.sha256 for one in old_blobs(store, "local", DAY)}
    assert found == {one.sha256 for one in [*old, alone]}
    assert [remove_blob(store, one, DAY) for one in [*old, alone]] == [1, 1, 1, 1, 1, 0]
    assert [name for name in s3.names() if "/local/" in name] == []
    assert remove_blob(store, old[0], DAY) is None


def test_a_blob_that_is_uploaded_again_while_it_is_removed_is_there_afterwards(
    store: ObjectBlobStore, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = put(store, FILE).reference
    aged(monkeypatch, 2 * DAY)
    asked = object_removal._size_if_old
    uploads: list[Thread] = []

    def late(*given: object) -> object:
        size = asked(*given)  # type: ignore[arg-type]
        # Behind the look, and before the deletion.
        uploads.append(Thread(target=put, args=(store, FILE)))
        uploads[0].start()
        deadline = time.monotonic() + 20
        while not any(path.endswith(path_of(reference)) for path in s3.writes):
            assert time.monotonic() < deadline, "nothing was sent"
        return size

    s3.writes.clear()
    monkeypatch.setattr(object_removal, "_size_if_old", late)
    assert remove_blob(store, reference, DAY) == len(FILE)
    uploads[0].join(30)
    assert content_of(store, reference) == FILE
    assert store.summary(reference).size_bytes == len(FILE)
    assert not any(REMOVING in name for name in s3.names())


def test_bytes_that_come_between_the_two_deletions_of_a_removal_get_their_summary_again(
    store: ObjectBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = put(store, FILE).reference
    aged(monkeypatch, 2 * DAY)
    delete, send = obstore.delete, obstore.put
    upload = Thread(target=put, args=(store, FILE))
    looked, bytes_gone, sent = Event(), Event(), Event()

    def deleted(objects: ObjectStore, name: str) -> None:
        if name != path_of(reference):
            delete(objects, name)
            return
        upload.start()
        assert looked.wait(20)
        delete(objects, name)
        bytes_gone.set()
        assert sent.wait(20)

    def put_late(objects: ObjectStore, name: str, *given: object, **said: object) -> object:
        if name != path_of(reference):
            return send(objects, name, *given, **said)  # type: ignore[arg-type]
        looked.set()
        assert bytes_gone.wait(20)
        result = send(objects, name, *given, **said)  # type: ignore[arg-type]
        sent.set()
        return result

    monkeypatch.setattr(obstore, "delete", deleted)
    monkeypatch.setattr(obstore, "put", put_late)
    assert remove_blob(store, reference, DAY) == len(FILE)
    upload.join(30)
    assert content_of(store, reference) == FILE
    assert store.summary(reference).size_bytes == len(FILE)


def test_a_note_of_another_removal_keeps_a_blob_and_an_abandoned_one_goes(
    store: ObjectBlobStore, s3: FaultyS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = put(store, FILE).reference
    s3.put(f"of/carbonline/{path_of(reference)}{REMOVING}", b"")
    aged(monkeypatch, 2 * DAY)
    assert remove_blob(store, reference, DAY) is None
    assert content_of(store, reference) == FILE
    monkeypatch.setattr("worker_service.blobs.object_store.REMOVAL_SECONDS_MAX", -1.0)
    assert remove_blob(store, reference, DAY) is None
    assert remove_blob(store, reference, DAY) == len(FILE)
    assert obstore.list(store.objects, prefix=summary_path_of(reference)).collect() == []


def test_what_is_gone_may_be_deleted_once_more_where_a_store_says_that_it_is_gone(
    tmp_path: Path,
) -> None:
    # As Google Cloud and Azure say, and S3 does not.
    folder = LocalStore(tmp_path)
    with pytest.raises(FileNotFoundError):
        obstore.delete(folder, "gone")
    take_away(folder, "gone")


def test_one_looks_and_the_others_wait_for_the_pause(
    store: ObjectBlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert take_turn(store, DAY) is None
    aged(monkeypatch, 2 * DAY)
    turn = take_turn(store, DAY)
    assert turn is not None
    with turn:
        turn.done()
    assert take_turn(store, DAY) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://a/b", "must be a path, or a URL that begins with one of s3://, gs://, az://"),
        ("s3://", "must name a bucket"),
        ("s3://key:secret@bucket/a", "credentials come from the environment"),
        ("s3://bucket/a?key=secret", "credentials come from the environment"),
    ],
)
def test_a_url_that_names_more_than_a_bucket_is_refused_unseen(url: str, said: str) -> None:
    assert said in fault_of_url(url)
    assert "secret" not in fault_of_url(url)


def test_a_key_that_cannot_be_read_is_a_sentence_without_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "account.json"
    # As where a shell or YAML has taken the ends of lines.
    key = f"-----BEGIN PRIVATE KEY-----{SECRET * 9}-----END PRIVATE KEY-----"
    about = {"type": "service_account", "client_email": "a@b", "private_key_id": "1"}
    file.write_text(json.dumps({**about, "private_key": key}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    with pytest.raises(ObjectStoreFailed, match="is missing, or cannot be read") as failed:
        ObjectBlobStore("gs://bucket/prefix")
    shown = "".join(traceback.format_exception(failed.value))
    assert str(list(SECRET.encode()))[1:-1] not in shown
    with pytest.raises(ObjectStoreFailed, match="is missing, or cannot be read"):
        ObjectBlobStore("az://container/prefix")


def test_paths_are_no_urls() -> None:
    assert not any(map(is_url, ["blobs", "/var/blobs", "./a:b", "C:/blobs"]))
    assert fault_of_url(URL) == fault_of_url("gs://b") == fault_of_url("az://a/c/p") == ""
