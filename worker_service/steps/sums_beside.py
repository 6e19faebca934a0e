"""Sums of loaded rows, made by PostgreSQL while the next rows are computed and loaded."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from worker_service.ledger.emission_sums import LeafSums, RowSlice, SetLeaf, sums_of_slices
from worker_service.ledger.pool import Ledger

# Rows that are summed by one statement.
ROWS_AT_ONCE = 25_000


class SumsBeside:
    """Adds up the rows of a set of emissions, one statement at a time, on a connection of its own.

    Leaving it ends what is under way, so that nothing of a failed claim goes on.
    """

    def __init__(self, ledger: Ledger, tenant: str, emission_set: int) -> None:
        """Nothing is summed yet."""
        self.leaves = LeafSums()
        self._ledger = ledger
        self._of = (tenant, emission_set)
        self._waiting: list[RowSlice] = []
        self._running: asyncio.Task[list[SetLeaf]] | None = None

    async def __aenter__(self) -> Self:
        """Itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stops what is under way. Its error, if any, is that of the database, and known."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running])
            with suppress(asyncio.CancelledError, Exception):
                self._running.result()

    async def add(self, slices: Sequence[RowSlice]) -> None:
        """Notes rows that are committed. Raises what the sum of earlier ones has raised."""
        self._waiting += slices
        if sum(one.last - one.first for one in self._waiting) >= ROWS_AT_ONCE:
            await self._begin()

    async def finish(self) -> LeafSums:
        """The sums of all rows. Raises DatabaseUnavailable."""
        if self._waiting:
            await self._begin()
        await self._settle()
        return self.leaves

    async def _begin(self) -> None:
        await self._settle()
        slices, self._waiting = self._waiting, []
        self._running = asyncio.create_task(self._summed(slices))

    async def _settle(self) -> None:
        if self._running is not None:
            leaves = await self._running
            self._running = None
            self.leaves.add(leaves)

    async def _summed(self, slices: Sequence[RowSlice]) -> list[SetLeaf]:
        async with self._ledger.session() as conn:
            return await sums_of_slices(conn, *self._of, slices)
