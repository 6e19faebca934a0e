"""Doubts about uploads that were computed before are noted a slice at a time, all of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.worker_service.steps.claims import claim
from worker_service.blobs.store import BlobStore
from worker_service.ledger.doubts import Doubts
from worker_service.steps import doubtful_entries
from worker_service.steps.doubtful_entries import doubt_sentences, note_again
from worker_service.steps.noted_rows import NotedRows


def doubted(row: int, entries: int = 1) -> Doubts:
    first = {"row": row, "column": "distance_km", "value": "1", "reason": "in upload 7, is short"}
    return Doubts(entries, [first])


async def slices(*given: list[Doubts]) -> AsyncIterator[list[Doubts]]:
    for one in given:
        yield one


async def test_each_slice_is_one_frame_and_every_doubt_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames: list[int] = []
    note_slice = doubtful_entries._note_slice

    def seen(warned: NotedRows, doubts: list[Doubts]) -> None:
        frames.append(len(doubts))
        note_slice(warned, doubts)

    monkeypatch.setattr(doubtful_entries, "_note_slice", seen)
    job = claim("emission_recalc", 1).run.job
    with NotedRows(BlobStore(tmp_path), job, "warned") as warned:
        more = slices([doubted(1, entries=8), doubted(2)], [doubted(3)])
        has_more = await note_again(warned, more)
        warned.keep()
    assert frames == [2, 1]
    stats = warned.stats()
    assert (stats["rows_warned"], [row["row"] for row in stats["warned_rows"]]) == (10, [1, 2, 3])
    of_rows, of_uploads = doubt_sentences(warned, has_more=has_more)
    assert of_rows.startswith("10 rows with a warning; the first: row 1, distance_km: in upload 7")
    assert of_uploads == "Of uploads that were computed before, 100 rows each are listed."
    with NotedRows(BlobStore(tmp_path), job, "warned") as none:
        assert not await note_again(none, slices())
    assert doubt_sentences(none, has_more=False) == []
