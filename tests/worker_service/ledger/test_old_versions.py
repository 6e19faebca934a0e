"""A version of a factor goes once it is old and no emission names it."""

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from tests.worker_service.ledger.test_collect import A_DAY, collect_all
from tests.worker_service.ledger.test_factors import LONG, SHORT, save
from worker_service.ledger.old_versions import VersionPlace, delete_versions

KEPT_SECONDS = 90 * A_DAY


async def change_to(driver: LedgerDriver, token: int, ef: float) -> None:
    await save(driver, token, (*SHORT[:3], f'{{"ef":{ef}}}'), LONG)


async def versions(driver: LedgerDriver) -> list[int]:
    """Of the factor that changes."""
    rows = await driver.rows(
        "SELECT version FROM carbon.factor_versions WHERE kind = 'short' ORDER BY version"
    )
    return [row["version"] for row in rows]


async def forget(driver: LedgerDriver) -> int:
    done = await delete_versions(driver.ledger, TENANT, KEPT_SECONDS, VersionPlace())
    assert done.next is None
    return done.gone


async def test_versions_between_the_one_in_use_and_those_that_emissions_name_go(
    driver: LedgerDriver,
) -> None:
    await change_to(driver, 10, 1.0)
    await driver.upload(11, ["0828"])
    await driver.recalculate(12)
    for token in (20, 30, 40):
        await change_to(driver, token, float(token))
    await driver.advance_clock(KEPT_SECONDS - A_DAY)
    assert await forget(driver) == 0
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    assert await forget(driver) == 2
    # The emissions were computed before the first change.
    assert await versions(driver) == [1, 4]
    await driver.recalculate(50)
    assert await forget(driver) == 0
    await driver.advance_clock(KEPT_SECONDS + 2 * A_DAY)
    await collect_all(driver)
    assert await forget(driver) == 1
    assert await versions(driver) == [4]
    assert await forget(driver) == 0


async def test_a_version_that_unseen_emissions_name_stays(driver: LedgerDriver) -> None:
    await change_to(driver, 10, 1.0)
    await driver.upload(11, ["0828"])
    await driver.load_computed(12, await driver.plan(), kg=1.0)
    await change_to(driver, 20, 2.0)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    assert await forget(driver) == 0
    assert await versions(driver) == [1, 2]


async def test_a_version_that_was_replaced_a_moment_ago_stays_however_old_it_is(
    driver: LedgerDriver,
) -> None:
    await change_to(driver, 10, 1.0)
    await driver.advance_clock(KEPT_SECONDS + A_DAY)
    await change_to(driver, 20, 2.0)
    assert await forget(driver) == 0
    assert await versions(driver) == [1, 2]
