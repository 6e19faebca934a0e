"""Sums that are made beside a computation: one at a time, and nothing of a failed claim goes on."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from carbonline.postgres.errors import DatabaseUnavailable
from tests.worker_service.steps.conftest import WorkerHarness
from worker_service.ledger.emission_sums import RowSlice, SetLeaf
from worker_service.ledger.pool import Connection
from worker_service.steps import sums_beside
from worker_service.steps.sums_beside import SumsBeside


class Statements:
    """In place of the statement that sums: what was asked for, and when it may end."""

    def __init__(self) -> None:
        self.asked: list[list[RowSlice]] = []
        self.began, self.may_end = asyncio.Event(), asyncio.Event()
        self.under_way = 0
        self.most_at_once = 0
        self.error: Exception | None = None

    async def sums(
        self, _conn: Connection, _tenant: str, _set: int, slices: Sequence[RowSlice]
    ) -> list[SetLeaf]:
        """One kilogram for each row."""
        self.asked.append(list(slices))
        self.under_way += 1
        self.began.set()
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await self.may_end.wait()
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        return [
            (one.entry_set, "0828", "plane", Decimal(one.last - one.first), None) for one in slices
        ]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    """Sums of ten rows at once, which end when the test says so."""
    made = Statements()
    monkeypatch.setattr(sums_beside, "sums_of_slices", made.sums)
    monkeypatch.setattr(sums_beside, "ROWS_AT_ONCE", 10)
    return made


async def test_rows_are_summed_once_while_others_are_loaded(
    harness: WorkerHarness, statements: Statements
) -> None:
    async with SumsBeside(harness.ledger, "local", 7) as beside:
        # It comes back although the sum is under way.
        await beside.add([RowSlice(1, 0, 10)])
        await beside.add([RowSlice(1, 10, 15)])
        statements.may_end.set()
        await beside.add([RowSlice(1, 15, 30), RowSlice(2, 0, 3)])
        await beside.add([RowSlice(2, 3, 4)])
        leaves = await beside.finish()
    assert leaves.of_sets([1, 2]) == [
        (1, "0828", "plane", Decimal(30), None),
        (2, "0828", "plane", Decimal(4), None),
    ]
    assert statements.most_at_once == 1
    assert len(statements.asked) == 3


async def test_a_sum_that_failed_ends_the_claim(
    harness: WorkerHarness, statements: Statements
) -> None:
    statements.error = DatabaseUnavailable("gone")
    statements.may_end.set()
    async with SumsBeside(harness.ledger, "local", 7) as beside:
        await beside.add([RowSlice(1, 0, 10)])
        with pytest.raises(DatabaseUnavailable):
            await beside.add([RowSlice(1, 10, 20)])


async def test_what_is_under_way_is_stopped_with_its_claim(
    harness: WorkerHarness, statements: Statements
) -> None:
    async def fails_meanwhile() -> None:
        async with SumsBeside(harness.ledger, "local", 7) as beside:
            await beside.add([RowSlice(1, 0, 10)])
            await statements.began.wait()
            raise KeyError

    with pytest.raises(KeyError):
        await fails_meanwhile()
    assert statements.under_way == 0
