"""A kept answer to GetTotals is the one that reading the ledger again would give."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

import pytest

from carbonline.v1 import ledger_pb2
from tests.worker_service.ledger.ledger_driver import MODULE, TENANT, YEAR, LedgerDriver
from tests.worker_service.ledger.test_freshness import aggregate
from worker_service.ledger.input_versions import mark_changed, reference_input
from worker_service.ledger.pool import Connection
from worker_service.ledger.published_state import published_states
from worker_service.ledger.totals import (
    TotalsFilter,
    TotalsReader,
    TotalsSlice,
    YearTotals,
    replace_totals,
)
from worker_service.ledger.units import save_units
from worker_service.ledger_api import kept_totals
from worker_service.ledger_api.kept_totals import ENTRY_BYTES, KeptTotals

UNITS = ("0828", "0829", "0830")
WHOLE_YEAR = TotalsFilter(TENANT, YEAR, None, None)
FILTERS = (
    WHOLE_YEAR,
    TotalsFilter(TENANT, YEAR, MODULE, None),
    TotalsFilter(TENANT, YEAR, None, "0828"),
    TotalsFilter(TENANT, YEAR, None, "0828", with_below=True),
    # Of a year without totals, the answer names those with some.
    TotalsFilter(TENANT, YEAR + 1, None, None),
    TotalsFilter("another", YEAR, None, None),
)
EDITED = """
UPDATE carbon.entries SET changed_token = $1
WHERE entry_set = (SELECT max(entry_set) FROM carbon.entry_sets WHERE state = 'PUBLISHED')
"""


async def read(kept: KeptTotals, wanted: TotalsFilter = WHOLE_YEAR) -> ledger_pb2.GetTotalsResponse:
    return ledger_pb2.GetTotalsResponse.FromString((await kept.answer(wanted)).answer)


class Changes:
    """Everything that can change an answer, each under a claim of its own."""

    def __init__(self, driver: LedgerDriver, seed: int) -> None:
        self._driver = driver
        self._chance = random.Random(seed)
        self._tokens = itertools.count(10)

    async def one(self) -> None:
        """Any of them."""
        each: Sequence[Callable[[int], Awaitable[object]]] = (
            self.upload,
            self.recalculate,
            self.aggregate,
            self.rename,
            self.places,
            self.other_year,
            self.edit,
            self.withdraw,
        )
        await self._chance.choice(each)(next(self._tokens))

    async def upload(self, token: int) -> None:
        units = self._chance.choices(UNITS, k=self._chance.randint(1, 4))
        unit = self._chance.choice((None, units[0]))
        await self._driver.upload(token, units if unit is None else [unit], unit=unit)

    async def withdraw(self, token: int) -> None:
        states = await self._driver.states()
        if published := [one for one, state in states.items() if state == "PUBLISHED"]:
            await self._driver.withdraw(token, published[-1])

    async def recalculate(self, token: int) -> None:
        await self._driver.recalculate(token, kg=self._chance.random())

    async def aggregate(self, token: int) -> None:
        await aggregate(self._driver, token)

    async def rename(self, token: int) -> None:
        names = [f"Unit {token}" for _ in UNITS]
        await self._driver.publish(
            token, "units", lambda c: save_units(c, TENANT, list(UNITS), names, token)
        )

    async def places(self, token: int) -> None:
        changed = reference_input("locations")
        await self._driver.publish(
            token, changed, lambda c: mark_changed(c, TENANT, changed, token)
        )

    async def other_year(self, token: int) -> None:
        of = TotalsSlice(TENANT, MODULE, YEAR - 1, ())
        await self._driver.publish(
            token, of.ledger_scope, lambda c: replace_totals(c, of, [], {}, token)
        )

    async def edit(self, token: int) -> None:
        await self._driver.rows(EDITED, token)


@pytest.mark.parametrize("seed", range(4))
async def test_a_kept_answer_equals_a_fresh_one_whatever_changes(
    driver: LedgerDriver, seed: int
) -> None:
    kept, changes = KeptTotals(driver.ledger), Changes(driver, seed)
    for _ in range(15):
        await changes.one()
        for wanted in FILTERS:
            fresh = await read(KeptTotals(driver.ledger), wanted)
            assert await read(kept, wanted) == fresh


async def test_each_kind_of_change_is_seen_at_once(driver: LedgerDriver) -> None:
    changes = Changes(driver, 0)
    await driver.upload(2, list(UNITS))
    await driver.recalculate(3)
    await aggregate(driver, 4)
    for number, change in enumerate(
        (changes.upload, changes.recalculate, changes.aggregate, changes.rename, changes.edit)
    ):
        kept = KeptTotals(driver.ledger)
        before = await read(kept)
        await change(100 + number)
        assert await read(kept) != before, change.__name__


async def test_a_second_publication_of_the_same_claim_is_seen(driver: LedgerDriver) -> None:
    await driver.upload(2, list(UNITS))
    await driver.recalculate(3)
    await aggregate(driver, 4)
    kept = KeptTotals(driver.ledger)
    for name in ("First", "Second"):
        async with driver.publication(10, "units") as conn:
            await save_units(conn, TENANT, ["0828"], [name], 10)
        named = {one.unit_name for one in (await read(kept)).unit_totals}
        assert name in named


async def test_an_answer_is_made_once_for_all_who_ask_while_nothing_changes(
    driver: LedgerDriver,
) -> None:
    kept = KeptTotals(driver.ledger)
    first = await kept.answer(WHOLE_YEAR)
    answers = await asyncio.gather(*(kept.answer(WHOLE_YEAR) for _ in range(8)))
    assert all(answer is first for answer in answers)
    again = KeptTotals(driver.ledger)
    at_once = await asyncio.gather(*(again.answer(WHOLE_YEAR) for _ in range(8)))
    assert all(answer is at_once[0] for answer in at_once)


async def test_who_asks_while_a_state_is_read_gets_a_newer_one(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read under way may have missed what was published before the call."""
    await driver.upload(2, list(UNITS))
    await driver.recalculate(3)
    await aggregate(driver, 4)
    kept, changes = KeptTotals(driver.ledger), Changes(driver, 0)
    before = await read(kept)
    is_read, goes_on = asyncio.Event(), asyncio.Event()
    calls = 0

    async def slow(conn: Connection, tenants: Collection[str]) -> dict[str, str]:
        nonlocal calls
        calls += 1
        states = await published_states(conn, tenants)
        is_read.set()
        await goes_on.wait()
        return states

    monkeypatch.setattr(kept_totals, "published_states", slow)
    first = asyncio.create_task(read(kept))
    await is_read.wait()
    await changes.rename(10)
    later = [asyncio.create_task(read(kept)) for _ in range(5)]
    await asyncio.sleep(0)
    goes_on.set()
    assert await first == before
    assert all(answer != before for answer in await asyncio.gather(*later))
    assert calls == 2


async def test_each_tenant_has_its_own_state(driver: LedgerDriver) -> None:
    await driver.upload(2, list(UNITS))
    async with driver.ledger.session() as conn:
        alone = [(await published_states(conn, [one]))[one] for one in (TENANT, "another")]
        both = await published_states(conn, [TENANT, "another"])
    assert [both[TENANT], both["another"]] == alone
    assert both[TENANT] != both["another"]


async def test_answers_that_were_not_asked_for_lately_go(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await driver.upload(2, list(UNITS))
    kept = KeptTotals(driver.ledger)
    first = await kept.answer(WHOLE_YEAR)
    monkeypatch.setattr(kept_totals, "KEPT_BYTES_MAX", len(first.answer) + ENTRY_BYTES)
    other = await kept.answer(FILTERS[1])
    assert await kept.answer(FILTERS[1]) is other
    assert await kept.answer(WHOLE_YEAR) is not first


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[TotalsFilter]:
    """What the ledger was read for, in that order. An empty answer is the same object each time."""
    done: list[TotalsFilter] = []
    read_year = TotalsReader.read_year

    async def noted(self: TotalsReader, wanted: TotalsFilter, *rest: Any) -> YearTotals:
        done.append(wanted)
        return await read_year(self, wanted, *rest)

    monkeypatch.setattr(TotalsReader, "read_year", noted)
    return done


async def test_empty_answers_go_like_others(
    driver: LedgerDriver, reads: list[TotalsFilter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_totals, "KEPT_BYTES_MAX", 2 * ENTRY_BYTES)
    kept = KeptTotals(driver.ledger)
    one, two, three = (TotalsFilter("another", year, None, None) for year in (2001, 2002, 2003))
    for wanted in (one, two, one, three, one, two):
        assert (await kept.answer(wanted)).answer == b""
    assert reads == [one, two, three, two]


async def test_the_units_that_an_answer_is_about_count(
    driver: LedgerDriver, reads: list[TotalsFilter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_totals, "KEPT_BYTES_MAX", 2 * ENTRY_BYTES)
    kept = KeptTotals(driver.ledger)
    below = {"few": 1, "many": 1_000}
    parents: dict[str, str | None] = dict.fromkeys(below)
    parents |= {f"{top}{number:06}": top for top in below for number in range(below[top])}
    units = list(parents)
    await driver.publish(
        2, "units", lambda c: save_units(c, "another", units, units, 2, parents=parents)
    )
    few, many = (TotalsFilter("another", YEAR, None, top, with_below=True) for top in below)
    for wanted in (few, few, many, many):
        await kept.answer(wanted)
    assert reads == [few, many, many]
