"""A patch is published as a whole or not at all."""

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import SLICE, TENANT, LedgerDriver
from worker_service.ledger.emission_patches import publish_patch
from worker_service.ledger.emission_sets import StandingSet, standing_sets
from worker_service.ledger.errors import PublicationMismatch

SUMS = """
SELECT unit, emission_type, kg::text, additional_value::text
FROM carbon.emission_sums JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
WHERE s.state = 'PUBLISHED'
"""
BEFORE = "SELECT * FROM carbon.emissions ORDER BY entry_set, row_number"


async def standing(driver: LedgerDriver, formula_version: str = "1") -> list[StandingSet]:
    async with driver.ledger.snapshot() as conn:
        return await standing_sets(conn, SLICE, formula_version, ("locations",))


def changed(one: StandingSet, *row_numbers: int, kg: float = 5.5) -> pl.DataFrame:
    count = len(row_numbers)
    return pl.DataFrame(
        {
            "emission_set": [one.emission_set] * count,
            "entry_set": [one.entries.entry_set] * count,
            "row_number": list(row_numbers),
            "part": [0] * count,
            "factor_version": [2] * count,
            "kg": [kg] * count,
            "additional_value": [1.0] * count,
        }
    )


@pytest.mark.parametrize("broken", ["an emission that is not there", "a set without sums"])
async def test_a_patch_that_does_not_fit_changes_nothing(driver: LedgerDriver, broken: str) -> None:
    await driver.upload(10, ["0828", "0829"])
    plan = await driver.recalculate(30)
    await driver.rows("UPDATE carbon.emission_sets SET is_summed = true")
    [one] = await standing(driver)
    rows = changed(one, 1, 99) if broken.startswith("an") else changed(one, 1)
    if broken.startswith("a set"):
        await driver.rows("UPDATE carbon.emission_sets SET is_summed = false")
    before = await driver.rows(BEFORE)
    with pytest.raises(PublicationMismatch, match="to patch"):
        await driver.publish(
            40,
            SLICE.ledger_scope,
            lambda conn: publish_patch(conn, TENANT, [one], rows, plan.inputs),
        )
    assert await driver.rows(BEFORE) == before


async def test_patched_sums_have_the_digits_of_sums_from_scratch(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0828"])
    await driver.recalculate(20, kg=0.5)
    sums = await driver.rows(SUMS)
    plan = await driver.recalculate(30, kg=0.125, formula_version="2")
    for token, kg in ((40, 0.25), (50, 0.5)):
        [one] = await standing(driver, "2")
        rows = changed(one, 1, 2, kg=kg)
        async with driver.publication(token, SLICE.ledger_scope) as conn:
            await publish_patch(conn, TENANT, [one], rows, plan.inputs)
    assert await driver.rows(SUMS) == sums
