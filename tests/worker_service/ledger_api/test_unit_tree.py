"""GetTotals and GetReport along the tree of units, for who may see it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.serving.logs import open_log
from carbonline.v1 import ledger_pb2, ledger_pb2_grpc, reference_pb2, types_pb2
from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.ledger_api.conftest import as_caller, refused, settings_of
from tests.worker_service.ledger_api.test_report import HEADCOUNT, load_people
from tests.worker_service.ledger_api.test_totals import store, unit_row
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.units import save_units
from worker_service.ledger_api.server import running_ledger

TRAVEL, PURCHASE = types_pb2.MODULE_PROFESSIONAL_TRAVEL, types_pb2.MODULE_PURCHASE
PLACES = {"SCI": None, "U1": "SCI", "U2": "U1", "LAW": None}
LIMITED = {"faculty": ("SCI", "U1", "U2"), "dean": ("SCI",), "both": ("SCI", "U2")}
OF_MODULES = {"traveller": {int(TRAVEL)}, "counter": {int(TRAVEL), int(HEADCOUNT)}}


class Limited:
    """Callers of the tenant who may act for some units or modules only; anybody else for all."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        del peer
        name = authorization.removeprefix("Bearer ")
        units = LIMITED.get(name)
        roles = Principal("", ()).roles
        modules = OF_MODULES.get(name)
        return Principal(
            *(name, (TENANT,), roles),
            modules=frozenset(modules) if modules else None,
            units=frozenset(units) if units else None,
        )


@pytest.fixture
async def ask(driver: LedgerDriver, database_url: str, tmp_path: Path) -> AsyncIterator[Any]:
    """The stub of a ledger that has totals of SCI's units and of LAW."""
    names = [unit.title() for unit in PLACES]
    await driver.publish(
        2, "units", lambda c: save_units(c, TENANT, list(PLACES), names, 2, parents=PLACES)
    )
    rows = [unit_row("U1", Decimal(10)), unit_row("U2", Decimal("0.1"))]
    await store(driver.ledger, TRAVEL, [*rows, unit_row("LAW", Decimal(7))])
    await store(driver.ledger, PURCHASE, [unit_row("U2", Decimal("0.2"))])
    await store(driver.ledger, TRAVEL, [unit_row("U2", Decimal(2))], year=2023)
    settings = settings_of(database_url, tmp_path)
    async with (
        running_ledger(settings, open_log("error"), Limited()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        yield ledger_pb2_grpc.LedgerServiceStub(channel)


async def report(ask: Any, caller: str = "all", **wanted: Any) -> Any:
    request = ledger_pb2.GetReportRequest(**{"year": 2024, **wanted})
    return await ask.GetReport(request, metadata=as_caller(caller))


async def totals(ask: Any, caller: str = "all", **wanted: Any) -> Any:
    request = ledger_pb2.GetTotalsRequest(**{"year": 2024, **wanted})
    return await ask.GetTotals(request, metadata=as_caller(caller))


def shown(answer: Any) -> list[tuple[object, ...]]:
    return [
        (
            *(one.unit, one.parent_unit, one.level),
            *(one.own_kg_exact, one.with_units_below.total_kg_exact),
        )
        for one in answer.unit_tree
    ]


async def test_each_unit_has_its_own_kilograms_and_those_of_all_below(ask: Any) -> None:
    answer = await report(ask)
    assert shown(answer) == [
        ("LAW", "", 0, "7", "7"),
        ("SCI", "", 0, "0", "10.3"),
        ("U1", "SCI", 1, "10", "10.3"),
        ("U2", "U1", 2, "0.3", "0.3"),
    ]
    assert answer.whole.total_kg_exact == "17.3"
    science = answer.unit_tree[1]
    assert (science.unit_name, science.with_units_below.last_year_kg) == ("Sci", 2)
    assert science.with_units_below.entry_count == 9


async def test_a_report_is_on_a_unit_alone_or_on_all_below_it(ask: Any) -> None:
    alone = await report(ask, unit="u1")
    assert alone.whole.total_kg_exact == "10"
    whole = await report(ask, unit="sci", with_units_below=True)
    assert whole.whole.total_kg_exact == "10.3"
    assert [one.unit for one in whole.units] == ["U1", "U2"]
    assert [(one.year, one.total_kg_exact) for one in whole.years] == [(2023, "2"), (2024, "10.3")]
    assert [row[:3] for row in shown(whole)] == [("SCI", "", 0), ("U1", "SCI", 1), ("U2", "U1", 2)]
    assert not (await report(ask, unit="sci")).HasField("whole")


async def test_totals_of_a_unit_come_with_those_below_it(ask: Any) -> None:
    alone = await totals(ask, unit="U1")
    assert not alone.HasField("with_units_below")
    answer = await totals(ask, unit="U1", with_units_below=True)
    assert [one.unit for one in answer.unit_totals] == ["U1", "U2"]
    assert answer.with_units_below.total_kg_exact == "10.3"
    assert not answer.HasField("institution")
    leaf = await totals(ask, unit="U2", with_units_below=True, module=TRAVEL)
    assert leaf.with_units_below.total_kg_exact == "0.1"
    # What is kept for a unit alone does not answer who asks for those below it, too.
    assert not (await totals(ask, unit="U2", module=TRAVEL)).HasField("with_units_below")


@pytest.mark.parametrize("method", [report, totals])
async def test_a_place_in_the_tree_gives_nobody_more_rights(ask: Any, method: Any) -> None:
    assert (await method(ask, "faculty", unit="SCI", with_units_below=True)).freshness
    await method(ask, "dean", unit="SCI")
    # The second time, what was answered to somebody else is at hand.
    for _ in range(2):
        error = await refused(method(ask, "dean", unit="SCI", with_units_below=True))
        assert (error.code, error.reason) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
        assert error.message == (
            "dean may act for the units SCI only, and below SCI are others, U1, U2: ask for SCI"
            " without the units below it"
        )


async def test_who_leaves_out_others_has_the_tree_of_their_units_and_how_many_are_left(
    ask: Any,
) -> None:
    # U1 between them is others': what is U2's stands below SCI.
    tree = [("SCI", "", 0, "0", "0.3"), ("U2", "SCI", 1, "0.3", "0.3")]
    for wanted, of_others in (({}, 3), ({"unit": "SCI", "with_units_below": True}, 1)):
        answer = await report(ask, "both", leave_out_others=True, **wanted)
        assert shown(answer) == tree
        assert (answer.whole.total_kg_exact, answer.whole.last_year_kg) == ("0.3", 2)
        assert [(one.year, one.total_kg_exact) for one in answer.years] == [
            (2023, "2"),
            (2024, "0.3"),
        ]
        assert answer.units_of_others_count == of_others
        assert list(answer.modules_of_others) == []
    answer = await report(ask, "both", leave_out_others=True)
    assert (list(answer.units_without_data), answer.units_without_data_count) == (["SCI"], 1)
    assert (await report(ask, "both", unit="U2", leave_out_others=True)).units_of_others_count == 0


async def test_who_leaves_out_others_has_sums_of_their_modules(ask: Any) -> None:
    answer = await report(ask, "traveller", leave_out_others=True)
    assert answer.whole.total_kg_exact == "17.1"
    assert [one.module for one in answer.modules] == [TRAVEL]
    assert PURCHASE in answer.modules_of_others
    assert TRAVEL not in answer.modules_of_others
    assert list(answer.modules_without_data) == []
    assert answer.units_of_others_count == 0


async def test_people_are_told_only_to_who_may_see_their_module(
    ask: Any, driver: LedgerDriver
) -> None:
    await load_people(driver.ledger, 40, [("U2", '{"fte":2}')])

    async def is_told(caller: str, **wanted: Any) -> bool:
        answer = await report(ask, caller, **wanted)
        told = {bool(one.HasField("fte")) for one in (answer.whole, answer.years[-1])}
        assert len(told) == 1
        return told.pop()

    assert await is_told("all")
    assert await is_told("faculty", unit="U2")
    assert await is_told("counter", leave_out_others=True)
    assert not await is_told("traveller", leave_out_others=True)
    assert not await is_told("traveller", module=TRAVEL)


async def test_totals_without_others_are_of_who_asks(ask: Any) -> None:
    async def sums(caller: str, **wanted: Any) -> tuple[str, str]:
        answer = await totals(ask, caller, leave_out_others=True, **wanted)
        whole = [answer.institution, answer.with_units_below]
        return whole[0].total_kg_exact, whole[1].total_kg_exact

    # The second time, what was answered to somebody else is at hand.
    for _ in range(2):
        assert await sums("both") == ("0.3", "")
        assert await sums("faculty") == ("10.3", "")
        assert await sums("traveller") == ("17.1", "")
        assert await sums("dean", unit="SCI", with_units_below=True) == ("", "")
        assert await sums("both", unit="SCI", with_units_below=True) == ("", "0.3")


@pytest.mark.parametrize("method", [report, totals])
async def test_who_may_act_for_all_leaves_out_nobody(ask: Any, method: Any) -> None:
    for wanted in ({}, {"unit": "SCI", "with_units_below": True}):
        assert await method(ask, leave_out_others=True, **wanted) == await method(ask, **wanted)


@pytest.mark.parametrize("method", [report, totals])
async def test_an_answer_and_the_tree_that_it_follows_are_of_one_moment(
    ask: Any, driver: LedgerDriver, method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = Ledger.snapshot
    moved = {**PLACES, "U2": "LAW"}

    @asynccontextmanager
    async def after_a_move(ledger: Ledger) -> AsyncIterator[Connection]:
        """Somebody moves U2 before the answer is read, and after everything else."""
        names = [unit.title() for unit in moved]
        await driver.publish(
            3, "units", lambda c: save_units(c, TENANT, list(moved), names, 3, parents=moved)
        )
        async with snapshot(ledger) as conn:
            yield conn

    monkeypatch.setattr(Ledger, "snapshot", after_a_move)
    answer = await method(ask, unit="SCI", with_units_below=True)
    whole = answer.whole if method is report else answer.with_units_below
    assert whole.total_kg_exact == "10"
    if method is report:
        assert [row[:3] for row in shown(answer)] == [("SCI", "", 0), ("U1", "SCI", 1)]


@pytest.mark.parametrize("method", [report, totals])
async def test_units_below_need_a_unit(ask: Any, method: Any) -> None:
    error = await refused(method(ask, with_units_below=True))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert error.message == "with_units_below: needs a unit"


async def test_units_are_listed_with_the_ones_above_them(ask: Any) -> None:
    answer = await ask.ListUnits(reference_pb2.ListUnitsRequest(), metadata=as_caller("all"))
    above = {one.unit: one.parent_unit for one in answer.units}
    assert above == {"0828": "", "LAW": "", "SCI": "", "U1": "SCI", "U2": "U1"}


async def test_without_a_tree_there_is_none(ask: Any, driver: LedgerDriver) -> None:
    flat = dict.fromkeys(PLACES)
    await driver.publish(
        9, "units", lambda c: save_units(c, TENANT, list(flat), list(flat), 9, parents=flat)
    )
    assert shown(await report(ask)) == []
