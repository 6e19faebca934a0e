"""Totals: exact sums of what is published, replaced whole."""

from decimal import Decimal

from tests.worker_service.ledger.ledger_driver import (
    MODULE,
    PLANE,
    SLICE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from worker_service.ledger.fences import Tokens
from worker_service.ledger.totals import (
    TotalsReader,
    TotalsSlice,
    UnitRow,
    counts_of_set,
    replace_totals,
    sets_to_sum,
)
from worker_service.ledger.units import save_units

TOTALS = TotalsSlice(TENANT, MODULE, YEAR, [PLANE, 21])


def row(unit: str, kg: str) -> UnitRow:
    exact = Decimal(kg)
    tree = {"professional_travel": float(kg)}
    none = Decimal(0)
    return UnitRow(unit, none, none, exact, exact, tree, {}, 1, {"computed": 1})


async def replace(
    driver: LedgerDriver, token: int, *rows: UnitRow, inputs: Tokens | None = None
) -> None:
    # A token of an input that moved on, so that the sums are not held against the emissions.
    tokens = inputs if inputs is not None else {"units": 0}
    await driver.publish(token, "units", lambda c: save_units(c, TENANT, ["0828"], ["Law"], 1))
    await driver.publish(
        token, TOTALS.ledger_scope, lambda c: replace_totals(c, TOTALS, rows, tokens, token)
    )


async def test_only_published_emissions_are_summed_and_the_scopes_tokens_are_told(
    driver: LedgerDriver,
) -> None:
    await driver.upload(10, ["0828"])
    await driver.recalculate(20)
    await driver.upload(30, ["0828", "0829"])
    await driver.load_computed(40, await driver.plan(), kg=1.0)
    async with driver.ledger.snapshot() as snapshot:
        sets, tokens = await sets_to_sum(snapshot, TOTALS)
        assert [(one.emission_set, one.entry_set) for one in sets] == [(20, 10)]
        assert await counts_of_set(snapshot, TENANT, sets[0]) == [("0828", "computed", 1)]
    assert tokens == {SLICE.ledger_scope: 20, f"emissions/21/{YEAR}": 0}


async def test_units_that_left_lose_their_totals(driver: LedgerDriver) -> None:
    await replace(driver, 10, row("0828", "1.5"), row("0829", "2.5"))
    await replace(driver, 20, row("0829", "3.5"), row("0830", "0.5"))
    found = await TotalsReader(driver.ledger).read_totals(TENANT, YEAR, None, None)
    assert [(one.unit, one.total, one.claim_token) for one in found] == [
        ("0829", Decimal("3.5"), 20),
        ("0830", Decimal("0.5"), 20),
    ]
    await replace(driver, 30)
    assert await TotalsReader(driver.ledger).read_totals(TENANT, YEAR, None, None) == []


async def test_totals_are_kept_to_the_last_digit(driver: LedgerDriver) -> None:
    kg = "123456789012345678901234567890.000000000000000000000000000001"
    await replace(driver, 10, row("0828", kg))
    [one] = await TotalsReader(driver.ledger).read_totals(TENANT, YEAR, None, None)
    assert one.total == one.scope3 == Decimal(kg)
    assert (one.unit_name, one.outcome_counts) == ("Law", {"computed": 1})


async def test_totals_are_found_by_unit_module_year_and_tenant(driver: LedgerDriver) -> None:
    await replace(driver, 10, row("Abc", "1"), row("0829", "2"))
    reader = TotalsReader(driver.ledger)

    async def units(tenant: str, year: int, module: int | None, *of: str) -> list[str]:
        found = await reader.read_totals(tenant, year, (module,) if module else None, of or None)
        return [one.unit for one in found]

    assert await units(TENANT, YEAR, MODULE) == ["0829", "Abc"]
    assert await units(TENANT, YEAR, None, "Abc") == ["Abc"]
    assert await units(TENANT, YEAR, None, "Abc", "0829", "0830") == ["0829", "Abc"]
    assert await units(TENANT, YEAR, MODULE + 1) == []
    assert await units(TENANT, YEAR + 1, None) == []
    assert await units("another", YEAR, None) == []
