"""What a recalculation has to do: only what has other inputs than its emissions."""

from collections.abc import Awaitable, Callable

import pytest

from tests.worker_service.ledger.ledger_driver import SLICE, TENANT, YEAR, LedgerDriver
from worker_service.ledger.emission_sets import publish_emissions
from worker_service.ledger.errors import InputMoved, PublicationMismatch
from worker_service.ledger.input_versions import factors_input, mark_changed, reference_input

Change = Callable[[LedgerDriver], Awaitable[object]]


def changed(named: str, scope: str) -> Change:
    async def change(driver: LedgerDriver) -> None:
        await driver.publish(50, scope, lambda conn: mark_changed(conn, TENANT, named, 50))

    return change


async def nothing(_books: LedgerDriver) -> None:
    """As it is."""


async def published(driver: LedgerDriver) -> list[tuple[int, int]]:
    """emission_set, entry_set."""
    rows = await driver.rows(
        "SELECT emission_set, entry_set FROM carbon.emission_sets WHERE state = 'PUBLISHED'"
        " ORDER BY entry_set"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize(
    ("change", "computed", "kept"),
    [
        pytest.param(nothing, [], [10, 20], id="nothing"),
        pytest.param(changed(factors_input(20, YEAR), "factors/2024"), [10, 20], [], id="factors"),
        pytest.param(changed(factors_input(20, 2023), "factors/2023"), [], [10, 20], id="2023"),
        pytest.param(changed(factors_input(21, YEAR), "factors/2024"), [], [10, 20], id="train"),
        pytest.param(
            changed(reference_input("locations"), "reference/locations"), [10, 20], [], id="places"
        ),
        pytest.param(
            changed(reference_input("rooms"), "reference/rooms"), [], [10, 20], id="rooms"
        ),
        pytest.param(lambda b: b.upload(50, ["0828"], unit="0828"), [50], [10, 20], id="joined"),
        pytest.param(lambda b: b.upload(50, ["0828"]), [50], [20], id="replaced"),
    ],
)
async def test_a_set_is_computed_anew_iff_its_inputs_changed(
    driver: LedgerDriver, change: Change, computed: list[int], kept: list[int]
) -> None:
    await driver.upload(10, ["0828", "0829"])
    await driver.upload(20, ["0829"], unit="0829")
    await driver.recalculate(30)
    assert await published(driver) == [(30, 10), (30, 20)]
    await change(driver)
    plan = await driver.recalculate(60)
    assert [one.entry_set for one in plan.compute] == computed
    assert [one.entry_set for one in plan.keep] == kept
    assert plan.nothing_to_do == (not computed)
    expected = [(60, entry_set) for entry_set in computed] + [(30, entry_set) for entry_set in kept]
    assert sorted(await published(driver)) == sorted(expected)


async def test_another_version_of_the_formula_computes_everything_anew(
    driver: LedgerDriver,
) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(30, formula_version="1")
    await driver.recalculate(40, formula_version="2")
    assert await published(driver) == [(40, 10)]
    assert (await driver.plan("2")).nothing_to_do


async def test_nothing_to_do_moves_no_fence(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(30)
    await driver.recalculate(40)
    assert await driver.fence(SLICE.ledger_scope) == (30, 0)


async def test_emissions_go_with_the_entries_that_they_are_of(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20)
    await driver.upload(30, ["0828"])
    plan = await driver.plan()
    assert plan.goes
    await driver.recalculate(40)
    assert await published(driver) == [(40, 30)]
    assert await driver.rows(
        "SELECT emission_set, retired_by FROM carbon.emission_sets WHERE state = 'RETIRED'"
    ) == [(20, 40)]


async def test_who_planned_before_another_published_computes_again(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    plan = await driver.plan()
    await driver.load_computed(30, plan, kg=5.0)
    await driver.recalculate(20, kg=7.0)
    with pytest.raises(InputMoved):
        async with driver.publication(30, SLICE.ledger_scope, tokens_read=plan.tokens_read) as conn:
            await publish_emissions(conn, SLICE, 30, plan)
    assert await published(driver) == [(20, 10)]
    assert (await driver.plan()).nothing_to_do


async def test_emissions_that_are_not_those_of_the_plan_are_not_published(
    driver: LedgerDriver,
) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20)
    await driver.upload(30, ["0828"])
    plan = await driver.plan()
    with pytest.raises(PublicationMismatch, match="of 1 sets of emissions: UPDATE 0"):
        # Nobody can come here but by a defect; then nothing is committed.
        async with driver.publication(40, SLICE.ledger_scope) as conn:
            await publish_emissions(conn, SLICE, 40, plan)
    assert await published(driver) == [(20, 10)]


async def test_emissions_that_were_loaded_and_not_published_are_not_seen(
    driver: LedgerDriver,
) -> None:
    await driver.upload(10, ["0828"])
    await driver.load_computed(20, await driver.plan(), kg=5.0)
    assert await published(driver) == []
    assert [one.entry_set for one in (await driver.plan()).compute] == [10]
    await driver.recalculate(30, kg=7.0)
    assert await published(driver) == [(30, 10)]
