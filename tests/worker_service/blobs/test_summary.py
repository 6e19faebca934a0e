"""A summary that is gone or damaged is told, and mended by the next upload of the same bytes."""

from pathlib import Path

import pytest

from tests.worker_service.blobs.test_store import content_of, files_in, put
from worker_service.blobs.store import BlobDamaged, BlobStore

WHOLE = b'{"file_name": "a", "size_bytes": 1, "created_at": "2026-01-01T00:00:00Z", "scope": {}}'
# How a stored summary may have been lost: emptied, cut off, of other values, deep, no text.
DAMAGES = (
    b"",
    WHOLE[:-5],
    b"[]",
    b"null",
    WHOLE.replace(b'"a"', b"1"),
    WHOLE.replace(b"1,", b'"1",'),
    WHOLE.replace(b"{}", b"[]"),
    WHOLE.replace(b"2026", b"when"),
    b"[" * 100_000,
    bytes(100),
)


def test_a_lost_summary_is_told_and_mended_by_an_upload(tmp_path: Path) -> None:
    store = BlobStore(tmp_path)
    reference = put(store, b"x", file_name="first.csv").reference
    summary, files = store.summary_path(reference), files_in(tmp_path)
    for damage in (None, *DAMAGES):
        summary.unlink() if damage is None else summary.write_bytes(damage)
        with pytest.raises(BlobDamaged, match="is lost: upload the file again, which mends it"):
            store.summary(reference)
        assert content_of(store, reference) == b"x"
        assert put(store, b"x", file_name="again.csv", scope={"year": 2024}).already_stored
        known = store.summary(reference)
        assert (known.file_name, known.size_bytes, known.scope) == ("again.csv", 1, {"year": 2024})
    assert files_in(tmp_path) == files
