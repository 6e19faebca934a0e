"""Units keep their first spelling, take new names, and none is removed."""

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.ledger.units import UnitChanges, read_units, save_units


async def save(driver: LedgerDriver, token: int, units: dict[str, str]) -> UnitChanges:
    return await driver.publish(
        token, "units", lambda c: save_units(c, TENANT, list(units), list(units.values()), token)
    )


async def test_a_unit_keeps_its_first_spelling_and_takes_its_new_name(driver: LedgerDriver) -> None:
    assert await save(driver, 10, {"Phys": "Physics", "Straße": "Roads"}) == UnitChanges(2, [], 0)
    changes = await save(driver, 20, {"PHYS": "Institute of Physics", "STRASSE": "Roads"})
    assert changes == UnitChanges(0, [("Phys", "Physics", "Institute of Physics")], 1)
    assert await read_units(driver.ledger, TENANT) == ["Phys", "Straße"]
    rows = await driver.rows("SELECT unit, name, changed_token FROM carbon.units ORDER BY unit")
    assert [tuple(row) for row in rows] == [
        ("Phys", "Institute of Physics", 20),
        ("Straße", "Roads", 10),
    ]


async def test_no_unit_goes_and_the_same_units_change_nothing(driver: LedgerDriver) -> None:
    await save(driver, 10, {"a": "A", "b": "B"})
    assert await save(driver, 20, {"a": "A"}) == UnitChanges(0, [], 1)
    assert await read_units(driver.ledger, TENANT) == ["a", "b"]
    assert await read_units(driver.ledger, "another") == []
