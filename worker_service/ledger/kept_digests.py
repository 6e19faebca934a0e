"""The digests of the rows of uploads, kept in the process: those of a set never change."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from worker_service.ledger.pool import Connection
from worker_service.ledger.row_digests import CHUNKS_FETCHED, DigestChunk, digests_of, read_chunks

# Of all that are kept together. Each row takes 8 bytes.
ROWS_MAX = 2_000_000

_Key: TypeAlias = tuple[str, "DigestedSet", str]


@dataclass(frozen=True, slots=True)
class DigestedSet:
    """A set with a digest of each of its rows.

    `content_digest` tells its rows from those of a set that had the same number in a database that
    was put back to an earlier state. "" means unknown.
    """

    entry_set: int
    row_count: int
    content_digest: str


class KeptDigests:
    """Reads the digests of sets, or finds those that were read before."""

    def __init__(self) -> None:
        """Nothing is kept at first."""
        # The one that was asked for last is at the end.
        self._kept: OrderedDict[_Key, pl.Series] = OrderedDict()
        self._rows = 0

    async def read(
        self, snapshot: Connection, tenant: str, sets: Sequence[DigestedSet], made_by: str
    ) -> pl.Series | None:
        """The digests of all rows of the sets together, by set in their order.

        None if they are more than ROWS_MAX, or if a set has not one for each row. Call it within a
        snapshot.
        """
        if sum(one.row_count for one in sets) > ROWS_MAX:
            return None
        missing = [one for one in sets if (tenant, one, made_by) not in self._kept]
        read = await _read(snapshot, tenant, missing, made_by) if missing else {}
        found = []
        for one in sets:
            key = (tenant, one, made_by)
            digests = read[one.entry_set] if one.entry_set in read else self._kept.get(key)
            if digests is None or len(digests) != one.row_count:
                return None
            found.append(digests)
            self._keep(key, digests)
        return pl.concat(found, rechunk=False) if found else _NONE

    def _keep(self, key: _Key, digests: pl.Series) -> None:
        if not key[1].content_digest:
            return
        if key not in self._kept:
            self._rows += len(digests)
        self._kept[key] = digests
        self._kept.move_to_end(key)
        while self._rows > ROWS_MAX:
            _, gone = self._kept.popitem(last=False)
            self._rows -= len(gone)


_NONE = pl.Series("digest", [], dtype=pl.UInt64)


async def _read(
    snapshot: Connection, tenant: str, sets: Sequence[DigestedSet], made_by: str
) -> dict[int, pl.Series]:
    parts: dict[int, list[pl.Series]] = {one.entry_set: [_NONE] for one in sets}
    waiting: list[DigestChunk] = []

    def take() -> None:
        for chunk in waiting:
            parts[chunk.entry_set].append(digests_of(chunk))
        waiting.clear()

    async for chunk in read_chunks(snapshot, tenant, list(parts), made_by):
        waiting.append(chunk)
        if len(waiting) == CHUNKS_FETCHED:
            await asyncio.to_thread(take)
    await asyncio.to_thread(take)
    return {entry_set: pl.concat(some) for entry_set, some in parts.items()}
