"""Entries whose computation makes a value doubtful: reported like rows with a warning."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import polars as pl

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.widths import REJECTED
from worker_service.ledger.doubts import ENTRIES_KEPT_MAX, Doubts
from worker_service.steps.noted_rows import NotedRows, ended


def noted_doubts(doubtful: pl.DataFrame) -> dict[int, pl.DataFrame]:
    """entry_set, row_number, column, value, reason -> per upload its row, column, value, reason.

    A recalculation computes several uploads, and each has a row 1: the reason names the upload.
    """
    noted = doubtful.select(
        "entry_set",
        pl.col("row_number").cast(pl.Int64).alias("row"),
        "column",
        "value",
        pl.format("in upload {}, {}", "entry_set", "reason").alias("reason"),
    )
    return {
        int(entry_set): of_set.drop("entry_set")
        for [entry_set], of_set in noted.group_by("entry_set", maintain_order=True)
    }


async def note_again(warned: NotedRows, slices: AsyncIterator[Sequence[Doubts]]) -> bool:
    """Adds the doubts about sets that an earlier recalculation computed, a slice at a time.

    Returns whether a set has more of them than are kept.
    """
    has_more = False
    async for doubts in slices:
        await asyncio.to_thread(_note_slice, warned, doubts)
        has_more |= any(one.entries > len(one.first) for one in doubts)
    return has_more


def _note_slice(warned: NotedRows, doubts: Sequence[Doubts]) -> None:
    for one in doubts:
        warned.add(pl.DataFrame(one.first, schema=REJECTED), one.entries)


def doubt_stats(warned: NotedRows) -> dict[str, Any]:
    """Stats of the job; empty if there is no doubt."""
    return warned.stats() if warned.row_count else {}


def doubt_sentences(warned: NotedRows, *, has_more: bool) -> list[str]:
    """Such as "2 rows with a warning; the first: row 3, distance_km: ...".

    `has_more` is what `note_again` returned.
    """
    if not warned.row_count:
        return []
    rows = pluralize(warned.row_count, "row")
    sentences = [f"{rows} with a warning; the first: {ended(warned.first_reason)}"]
    if has_more:
        sentences.append(
            f"Of uploads that were computed before, {ENTRIES_KEPT_MAX} rows each are listed."
        )
    return [*sentences, *warned.cut_sentences]
