"""The tree of units as it is stored: placed, moved, kept, and never a ring."""

import pytest
from asyncpg.exceptions import ForeignKeyViolationError

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.carbon.unit_tree import NotATree
from worker_service.ledger.unit_tree import children_of, placed_units, units_below
from worker_service.ledger.units import UnitChanges, UnitsGone, remove_units, save_units


async def save(driver: LedgerDriver, token: int, **parents: str | None) -> UnitChanges:
    return await driver.publish(
        token,
        "units",
        lambda c: save_units(
            c, TENANT, list(parents), [name.title() for name in parents], token, parents=parents
        ),
    )


async def add(driver: LedgerDriver, token: int, *units: str) -> UnitChanges:
    names = [name.title() for name in units]
    return await driver.publish(
        token, "units", lambda c: save_units(c, TENANT, units, names, token)
    )


async def tree(driver: LedgerDriver) -> dict[str, str | None]:
    async with driver.ledger.session() as conn:
        return {one.unit: one.parent for one in await placed_units(conn, TENANT)}


async def test_units_are_placed_by_any_spelling_and_moved(driver: LedgerDriver) -> None:
    assert await save(driver, 10, Sci=None, phy="SCI", opt="PHY") == UnitChanges(3, [], 0)
    assert await tree(driver) == {"Sci": None, "phy": "Sci", "opt": "phy"}
    changes = await save(driver, 20, PHY="sci", OPT="sci")
    assert (changes.same, changes.moved) == (1, 1)
    assert await tree(driver) == {"Sci": None, "phy": "Sci", "opt": "Sci"}
    assert (await save(driver, 30, opt=None)).moved == 1
    assert (await tree(driver))["opt"] is None


async def test_who_says_nothing_of_places_moves_nobody(driver: LedgerDriver) -> None:
    await save(driver, 10, sci=None, phy="sci")
    assert await add(driver, 20, "sci", "phy", "new") == UnitChanges(1, [], 2)
    assert await tree(driver) == {"sci": None, "phy": "sci", "new": None}


async def test_no_unit_gets_below_itself_whoever_placed_the_others(driver: LedgerDriver) -> None:
    await save(driver, 10, sci=None, phy="sci", opt="phy")
    with pytest.raises(NotATree, match="no unit can be below itself"):
        await save(driver, 20, sci="opt")
    assert (await tree(driver))["sci"] is None


async def test_a_parent_that_is_gone_is_told(driver: LedgerDriver) -> None:
    with pytest.raises(UnitsGone, match="nowhere"):
        await save(driver, 10, sci="nowhere")
    assert await tree(driver) == {}


async def test_all_below_a_unit_are_found_and_no_others(driver: LedgerDriver) -> None:
    await save(driver, 10, sci=None, phy="sci", opt="phy", law=None, bio="sci")
    async with driver.ledger.session() as conn:
        assert await units_below(conn, TENANT, "sci") == ("bio", "opt", "phy", "sci")
        assert await units_below(conn, TENANT, "law") == ("law",)
        assert await units_below(conn, "another", "sci") == ()


async def test_no_parent_is_removed_from_above_its_units(driver: LedgerDriver) -> None:
    await save(driver, 10, sci=None, phy="sci")
    async with driver.ledger.session() as conn:
        assert await children_of(conn, TENANT, ["sci"]) == [("phy", "sci")]
        assert await children_of(conn, TENANT, ["sci", "phy"]) == []
    with pytest.raises(ForeignKeyViolationError):
        await driver.publish(20, "units", lambda c: remove_units(c, TENANT, ["sci"]))
    assert await driver.publish(21, "units", lambda c: remove_units(c, TENANT, ["sci", "phy"])) == 2
