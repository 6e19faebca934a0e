"""Old blobs are deleted whole, and an upload of the same bytes at that moment wins."""

import errno
import fcntl
import os
import time
from pathlib import Path
from typing import NoReturn

import pytest

from tests.worker_service.blobs.test_store import content_of, files_in, put
from worker_service.blobs import removal, store
from worker_service.blobs.folder_lock import LOCK, folder_locked
from worker_service.blobs.reference import BlobReference
from worker_service.blobs.removal import LAST_LOOK, old_blobs, remove_blob, take_turn, tenants
from worker_service.blobs.store import BlobFolderUnusable, BlobStore

DAY = 24 * 3600.0


def age(blobs: BlobStore, reference: BlobReference, days: float = 100) -> None:
    """As if it had been uploaded so long ago."""
    for path in (blobs.path(reference), blobs.summary_path(reference)):
        if path.exists():
            then = path.stat().st_mtime - days * DAY
            os.utime(path, (then, then))


def old(blobs: BlobStore, tenant: str = "local") -> list[BlobReference]:
    return list(old_blobs(blobs, tenant, 90 * DAY))


def remove(blobs: BlobStore, reference: BlobReference) -> int | None:
    return remove_blob(blobs, reference, 90 * DAY)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def lonely(blobs: BlobStore) -> BlobReference:
    """A blob that was uploaded a hundred days ago."""
    reference = put(blobs, b"long ago").reference
    age(blobs, reference)
    return reference


def test_an_old_blob_is_found_and_goes_whole_and_a_young_one_stays(
    blobs: BlobStore, lonely: BlobReference
) -> None:
    young = put(blobs, b"a moment ago").reference
    assert old(blobs) == [lonely]
    assert remove(blobs, lonely) == len(b"long ago")
    assert remove(blobs, young) is None
    assert files_in(blobs.folder) == [young.sha256, f"{young.sha256}.json"]
    assert old(blobs) == []
    assert remove(blobs, lonely) is None


def test_only_blobs_are_found_and_only_the_tenants_own(
    blobs: BlobStore, lonely: BlobReference
) -> None:
    theirs = put(blobs, b"long ago", tenant="theirs").reference
    age(blobs, theirs)
    with blobs.begin("local"):
        (blobs.folder / "notes.txt").write_text("not a tenant")
        (blobs.folder / "local" / "notes.txt").write_text("not a folder")
        (blobs.path(lonely).parent / "notes.txt").write_text("not a hash")
        for path in blobs.folder.rglob("*"):
            os.utime(path, (0, 0))
        assert tenants(blobs) == ["local", "theirs"]
        assert old(blobs) == [lonely]
    assert remove(blobs, lonely) is not None
    assert content_of(blobs, theirs) == b"long ago"


def test_nothing_is_found_where_nothing_was_uploaded(tmp_path: Path) -> None:
    nothing = BlobStore(tmp_path / "none")
    assert tenants(nothing) == []
    assert old(nothing) == []
    assert take_turn(nothing, DAY) is None


def test_a_blob_that_is_uploaded_again_after_it_was_found_stays(
    blobs: BlobStore, lonely: BlobReference
) -> None:
    assert old(blobs) == [lonely]
    assert put(blobs, b"long ago").already_stored
    assert remove(blobs, lonely) is None
    assert content_of(blobs, lonely) == b"long ago"
    assert old(blobs) == []


def test_an_upload_that_has_seen_the_blob_before_it_went_stores_it_anew(
    blobs: BlobStore, lonely: BlobReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_whole = store._is_whole

    def seen_and_gone(path: Path, sha256: str, size_bytes: int) -> bool:
        seen = is_whole(path, sha256, size_bytes)
        assert remove(blobs, lonely) is not None
        return seen

    monkeypatch.setattr(store, "_is_whole", seen_and_gone)
    kept = put(blobs, b"long ago", file_name="again.csv")
    assert not kept.already_stored
    assert content_of(blobs, lonely) == b"long ago"
    assert blobs.summary(lonely).file_name == "again.csv"


def is_locked(blobs: BlobStore, reference: BlobReference) -> bool:
    with (blobs.path(reference).parent / LOCK).open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_who_decides_about_a_blob_locks_out_all_others(
    blobs: BlobStore, lonely: BlobReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def watched(module: object, name: str) -> None:
        before = getattr(module, name)

        def decides(*given: object) -> object:
            seen.append(is_locked(blobs, lonely))
            return before(*given)

        monkeypatch.setattr(module, name, decides)

    watched(store, "_touched")
    watched(removal, "_is_old")
    put(blobs, b"long ago")
    age(blobs, lonely)
    assert remove(blobs, lonely) is not None
    assert seen == [True, True]
    assert not is_locked(blobs, lonely)


def test_the_bytes_go_first_so_that_a_killed_removal_leaves_none_without_a_summary(
    blobs: BlobStore, lonely: BlobReference, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink, gone = Path.unlink, list[str]()

    def noted(path: Path, missing_ok: bool = False) -> None:
        gone.append(path.suffix)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", noted)
    assert remove(blobs, lonely) is not None
    assert gone == ["", ".json"]


@pytest.fixture
def half_removed(blobs: BlobStore, lonely: BlobReference) -> BlobReference:
    """A removal was killed between its two steps."""
    blobs.path(lonely).unlink()
    return lonely


def test_what_a_killed_removal_left_goes_with_the_next_look(
    blobs: BlobStore, half_removed: BlobReference
) -> None:
    assert old(blobs) == [half_removed]
    assert remove(blobs, half_removed) == 0
    assert files_in(blobs.folder) == []


def test_an_upload_mends_what_a_killed_removal_left(
    blobs: BlobStore, half_removed: BlobReference
) -> None:
    put(blobs, b"long ago", file_name="again.csv")
    assert blobs.summary(half_removed).size_bytes == len(b"long ago")
    assert remove(blobs, half_removed) is None
    assert content_of(blobs, half_removed) == b"long ago"


def test_one_process_looks_at_a_time_and_after_a_whole_look_none_for_a_while(
    blobs: BlobStore, lonely: BlobReference
) -> None:
    # Processes of an older release, beside which the first one looks, renew no file's age.
    assert take_turn(blobs, DAY) is None
    (blobs.folder / LAST_LOOK).write_text(f"{time.time() - 2 * DAY:20.3f}")
    first = take_turn(blobs, DAY)
    assert first is not None
    with first:
        assert take_turn(blobs, DAY) is None
    # It has not seen all.
    second = take_turn(blobs, DAY)
    assert second is not None
    with second:
        second.done()
    assert take_turn(blobs, DAY) is None
    assert take_turn(blobs, 0.0) is not None


@pytest.mark.parametrize("noted", [b"not a time", b"\xff\xfe", b"nan", b"inf"])
def test_a_time_that_cannot_be_read_is_noted_anew_and_waited_for(
    blobs: BlobStore, lonely: BlobReference, noted: bytes
) -> None:
    (blobs.folder / LAST_LOOK).write_bytes(noted)
    assert take_turn(blobs, DAY) is None
    assert float((blobs.folder / LAST_LOOK).read_text()[:20]) == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP])
def test_a_folder_without_locks_is_unusable_and_no_file_stays_open(
    blobs: BlobStore, lonely: BlobReference, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_locks(*_: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    blobs.check_usable()
    open_before = list(Path("/proc/self/fd").iterdir())
    with monkeypatch.context() as without_locks:
        without_locks.setattr(fcntl, "flock", no_locks)
        with pytest.raises(BlobFolderUnusable, match=r"cannot be locked .*: use a file system"):
            blobs.check_usable()
        with pytest.raises(OSError, match=os.strerror(number)):
            take_turn(blobs, DAY)
    assert len(list(Path("/proc/self/fd").iterdir())) == len(open_before)
    blobs.check_usable()


def test_a_folder_is_usable_while_others_hold_its_lock(
    blobs: BlobStore, lonely: BlobReference
) -> None:
    with folder_locked(blobs.folder):
        blobs.check_usable()
