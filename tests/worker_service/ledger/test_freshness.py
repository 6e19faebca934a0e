"""Totals are fresh when computing everything anew would change nothing; else it is told why not."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal

import polars as pl

from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    LEAF,
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
)
from worker_service.ledger.emission_sums import sum_set
from worker_service.ledger.factors import FactorSlice, Origin, save_factors
from worker_service.ledger.freshness import Computable, ModuleState, read_states
from worker_service.ledger.input_versions import mark_changed, reference_input
from worker_service.ledger.totals import (
    TotalsSlice,
    UnitRow,
    counts_of_set,
    replace_totals,
    sets_to_sum,
)

TRAIN = 21
TOTALS = TotalsSlice(TENANT, MODULE, YEAR, [PLANE, TRAIN])
FACTOR = pl.DataFrame(
    {
        "emission_type": [LEAF],
        "classification": ['{"cabin_class":"economy"}'],
        "kind": [None],
        "subkind": ["economy"],
        "values": ['{"ef":1}'],
    },
    schema_overrides={"kind": pl.String},
)


def computable(formula_version: str) -> Sequence[Computable]:
    return [
        Computable(MODULE, PLANE, "plane", formula_version, ("locations",)),
        Computable(MODULE, TRAIN, "train", "", ()),
        Computable(MODULE + 1, 30, "building", "", ()),
    ]


async def states(
    driver: LedgerDriver, *, formula_version: str = "1", tenant: str = TENANT, year: int = YEAR
) -> list[ModuleState]:
    async with driver.ledger.snapshot() as snapshot:
        return await read_states(snapshot, tenant, year, computable(formula_version))


async def the_state(driver: LedgerDriver, *, formula_version: str = "1") -> ModuleState:
    [state] = await states(driver, formula_version=formula_version)
    return state


async def is_fresh(driver: LedgerDriver, *, formula_version: str = "1") -> bool:
    state = await the_state(driver, formula_version=formula_version)
    return state.summed and all(one.fresh for one in state.types)


async def aggregate(driver: LedgerDriver, token: int) -> None:
    """As the step does it."""
    kg: dict[str, Decimal] = {}
    outcomes: dict[str, Counter[str]] = {}
    async with driver.ledger.snapshot() as snapshot:
        sets, tokens = await sets_to_sum(snapshot, TOTALS)
        for one in sets:
            async for _, leaves in sum_set(snapshot, TENANT, one):
                for unit, _, of_leaf, _ in leaves:
                    kg[unit] = kg.get(unit, Decimal(0)) + of_leaf
            for unit, outcome, number in await counts_of_set(snapshot, TENANT, one):
                outcomes.setdefault(unit, Counter())[outcome] += number
    none = Decimal(0)
    rows = [
        UnitRow(unit, none, none, of_unit, of_unit, {}, {}, counts.total(), counts)
        for unit, counts in outcomes.items()
        for of_unit in [kg.get(unit, none)]
    ]
    await driver.publish(
        token, TOTALS.ledger_scope, lambda c: replace_totals(c, TOTALS, rows, tokens, token)
    )


async def compute(driver: LedgerDriver, token: int) -> None:
    """Everything that follows an upload."""
    await driver.recalculate(token)
    await aggregate(driver, token + 1)


async def test_nothing_is_told_where_nothing_is(driver: LedgerDriver) -> None:
    assert await states(driver) == []


async def test_an_upload_waits_until_it_is_computed_and_summed(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0829"])
    [plane] = (await the_state(driver)).types
    assert (plane.of.name, plane.waiting, plane.waiting_rows) == ("plane", 1, 2)
    assert plane.waiting_since is not None
    assert not plane.fresh
    await driver.recalculate(20)
    state = await the_state(driver)
    assert [one.fresh for one in state.types] == [True]
    assert not state.summed
    assert state.unsummed_since is not None
    await aggregate(driver, 30)
    assert await is_fresh(driver)


async def test_an_upload_that_replaces_another_leaves_its_emissions_over(
    driver: LedgerDriver,
) -> None:
    await driver.upload(10, ["0828"])
    await compute(driver, 20)
    await driver.upload(30, ["0828", "0829"])
    [plane] = (await the_state(driver)).types
    assert (plane.waiting, plane.waiting_rows, plane.left_over) == (1, 2, 1)
    await driver.recalculate(40)
    assert not await is_fresh(driver)
    await aggregate(driver, 50)
    assert await is_fresh(driver)


async def save(driver: LedgerDriver, token: int, factors: pl.DataFrame) -> None:
    of, origin = FactorSlice(TENANT, PLANE, YEAR), Origin("blob:a", "", token)
    await driver.publish(token, f"factors/{YEAR}", lambda c: save_factors(c, of, factors, origin))


async def test_changed_factors_make_stale_and_the_same_ones_do_not(driver: LedgerDriver) -> None:
    await save(driver, 1, FACTOR)
    await driver.upload(10, ["0828"])
    await compute(driver, 20)
    await save(driver, 30, FACTOR)
    assert await is_fresh(driver)
    await save(driver, 40, FACTOR.with_columns(values=pl.lit('{"ef":2}')))
    [plane] = (await the_state(driver)).types
    assert (plane.with_other_factors, plane.with_other_references, plane.waiting) == (1, 0, 0)
    assert not plane.fresh
    await compute(driver, 50)
    assert await is_fresh(driver)


async def test_changed_places_make_stale(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await compute(driver, 20)
    await driver.publish(
        30,
        "reference/locations",
        lambda c: mark_changed(c, TENANT, reference_input("locations"), 30),
    )
    [plane] = (await the_state(driver)).types
    assert (plane.with_other_factors, plane.with_other_references) == (0, 1)
    assert not plane.fresh
    await compute(driver, 40)
    assert await is_fresh(driver)


async def test_a_new_formula_makes_what_the_old_one_computed_stale(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await compute(driver, 20)
    assert await is_fresh(driver, formula_version="1")
    [plane] = (await the_state(driver, formula_version="2")).types
    assert plane.other_formulas == ("1",)
    assert not plane.fresh


async def test_a_changed_entry_makes_stale(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828", "0829"])
    await compute(driver, 20)
    await driver.publish(
        30,
        ENTRIES,
        lambda c: c.execute(
            "UPDATE carbon.entries SET changed_token = 30 WHERE entry_set = 10 AND row_number = 2"
        ),
    )
    [plane] = (await the_state(driver)).types
    assert plane.with_other_entries == 1
    assert not plane.fresh
    await compute(driver, 40)
    assert await is_fresh(driver)


async def test_an_upload_taken_back_is_told_until_its_sums_are_gone(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await compute(driver, 20)
    await driver.publish(
        30,
        ENTRIES,
        lambda c: c.execute(
            "UPDATE carbon.entry_sets SET state = 'RETIRED', retired_at = carbon.clock(),"
            " retired_by = 30 WHERE entry_set = 10"
        ),
    )
    [plane] = (await the_state(driver)).types
    assert (plane.waiting, plane.left_over) == (0, 1)
    assert not plane.fresh
    await driver.recalculate(40)
    state = await the_state(driver)
    assert (state.types, state.summed) == ([], False)
    await aggregate(driver, 50)
    assert await states(driver) == []


async def test_tenants_and_years_are_kept_apart(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    assert len(await states(driver)) == 1
    assert await states(driver, tenant="another") == []
    assert await states(driver, year=YEAR + 1) == []
