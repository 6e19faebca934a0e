"""Doubts of many sets are read a few sets at a time, and decoded beside the event loop."""

import threading
from collections.abc import Sequence

import pytest

from tests.worker_service.ledger.ledger_driver import SLICE, LedgerDriver
from worker_service.ledger import doubts
from worker_service.ledger.doubts import Doubts, doubts_of

UNITS = ("0828", "0829", "0830", "0831", "0832")


async def test_doubts_are_read_in_slices_of_sets_and_decoded_in_a_thread(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token, unit in enumerate(UNITS, start=10):
        await driver.upload(token, [unit], unit=unit)
    await driver.recalculate(20)
    await driver.rows(
        """UPDATE carbon.emission_sets
        SET doubts = jsonb_build_object('entries', entry_set, 'first', '[]'::jsonb)
        WHERE entry_set <> 11 RETURNING 1"""
    )
    threads: list[threading.Thread] = []
    decoded = doubts._decoded

    def noted(texts: Sequence[str]) -> list[Doubts]:
        threads.append(threading.current_thread())
        return decoded(texts)

    monkeypatch.setattr(doubts, "_decoded", noted)
    monkeypatch.setattr(doubts, "SETS_PER_SLICE", 2)
    async with driver.ledger.snapshot() as snapshot:
        slices = [slice_ async for slice_ in doubts_of(snapshot, SLICE, [14, 12, 13, 10, 11])]
        none = [slice_ async for slice_ in doubts_of(snapshot, SLICE, [11])]
    assert [[one.entries for one in slice_] for slice_ in slices] == [[10], [12, 13], [14]]
    assert none == []
    assert threading.main_thread() not in threads
