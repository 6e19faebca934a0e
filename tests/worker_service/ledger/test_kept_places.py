"""Places that are kept are those that the ledger has."""

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.ledger.test_locations import save_places
from worker_service.ledger import kept_places
from worker_service.ledger.kept_places import KeptPlaces
from worker_service.ledger.locations import remove_locations

SCOPE = "reference/locations"


async def read(driver: LedgerDriver, kept: KeptPlaces, tenant: str = TENANT) -> pl.DataFrame:
    async with driver.ledger.snapshot() as snapshot:
        return await kept.read(snapshot, tenant)


async def codes(driver: LedgerDriver, kept: KeptPlaces) -> list[str]:
    return (await read(driver, kept))["code"].to_list()


async def test_places_are_read_once_while_nobody_changes_them(driver: LedgerDriver) -> None:
    await save_places(driver, 10, "plane", "GVA", "CDG")
    kept = KeptPlaces()
    first = await read(driver, kept)
    assert await read(driver, kept) is first
    # Names are not among what distances need.
    await save_places(driver, 20, "plane", "GVA", name="Cointrin")
    assert await read(driver, kept) is first


async def test_whatever_changes_places_is_seen(driver: LedgerDriver) -> None:
    kept = KeptPlaces()
    assert await codes(driver, kept) == []
    await save_places(driver, 10, "plane", "GVA")
    assert await codes(driver, kept) == ["GVA"]
    await save_places(driver, 20, "plane", "GVA", latitude=1.5)
    assert (await read(driver, kept))["latitude"].to_list() == [1.5]
    await save_places(driver, 30, "plane", "CDG", replace=True)
    assert await codes(driver, kept) == ["CDG"]
    async with driver.publication(40, SCOPE) as conn:
        await remove_locations(conn, TENANT, "plane", ["CDG"], 40)
    assert await codes(driver, kept) == []


async def test_a_second_change_under_the_same_token_is_seen(driver: LedgerDriver) -> None:
    kept = KeptPlaces()
    for code in ("GVA", "CDG"):
        await save_places(driver, 10, "plane", code, replace=True)
        assert await codes(driver, kept) == [code]


async def test_tenants_that_were_not_asked_for_lately_go(
    driver: LedgerDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_places, "TENANTS_MAX", 1)
    await save_places(driver, 10, "plane", "GVA")
    async with driver.ledger.session() as conn:
        await conn.execute(
            "INSERT INTO carbon.input_versions (tenant, input, changed_token)"
            " VALUES ('another', 'reference/locations', 10)"
        )
    kept = KeptPlaces()
    first = await read(driver, kept)
    assert (await read(driver, kept, "another")).is_empty()
    assert await read(driver, kept) is not first
