"""Factors change in place: the same id for ever, and every change a version."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tests.worker_service.ledger.ledger_driver import PLANE, TENANT, YEAR, LedgerDriver
from worker_service.ledger.factors import (
    FACTOR_SCHEMA,
    FactorChanges,
    FactorSlice,
    NamedFactor,
    Origin,
    factors_not_in,
    read_factors,
    remove_factors,
    save_factors,
    stale_factors,
)
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import factors_input, newest_change

SLICE = FactorSlice(TENANT, PLANE, YEAR)
SHORT = ('{"category":"short","cabin_class":null}', "short", None, '{"ef":1.5,"rfi":2}')
LONG = ('{"category":"long","cabin_class":"first"}', "long", "first", '{"ef":0.25}')


async def save(
    driver: LedgerDriver,
    token: int,
    *rows: tuple[str, str | None, str | None, str],
    remove: Sequence[int] = (),
) -> FactorChanges:
    factors = pl.DataFrame(
        [("professional_travel.plane", *row) for row in rows],
        schema=["emission_type", "classification", "kind", "subkind", "values"],
        orient="row",
    )
    return await driver.publish(
        token,
        f"factors/{YEAR}",
        lambda conn: save_factors(
            conn, SLICE, factors, Origin(f"blob:{token}", f"file {token}", token), remove=remove
        ),
    )


async def stored(driver: LedgerDriver) -> list[Mapping[str, Any]]:
    rows = await driver.rows(
        "SELECT factor_id, kind, version, stale, changed_token FROM carbon.factors"
        " ORDER BY factor_id"
    )
    return [dict(row) for row in rows]


async def changed_by(driver: LedgerDriver) -> int:
    async with driver.ledger.session() as conn:
        return await newest_change(conn, TENANT, [factors_input(PLANE, YEAR)])


async def test_a_changed_factor_keeps_its_id_and_leaves_a_version(driver: LedgerDriver) -> None:
    assert await save(driver, 10, SHORT, LONG) == FactorChanges(2, 2, 0, new=2)
    before = await stored(driver)
    dearer = (*SHORT[:3], '{"ef":3.0,"rfi":2}')
    assert await save(driver, 20, dearer, LONG) == FactorChanges(1, 2, 0)
    after = await stored(driver)
    assert [row["factor_id"] for row in after] == [row["factor_id"] for row in before]
    by_kind = {row["kind"]: (row["version"], row["changed_token"]) for row in after}
    assert by_kind == {"short": (2, 20), "long": (1, 10)}
    versions = await driver.rows(
        "SELECT v.version, v.factor_values, v.blob, v.claim_token"
        " FROM carbon.factor_versions AS v JOIN carbon.factors AS f USING (tenant, factor_id)"
        " WHERE f.kind = 'short' ORDER BY v.version"
    )
    assert [tuple(row) for row in versions] == [
        (1, {"ef": 1.5, "rfi": 2}, "blob:10", 10),
        (2, {"ef": 3.0, "rfi": 2}, "blob:20", 20),
    ]
    assert await changed_by(driver) == 20


async def test_the_same_factors_again_change_nothing(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT, LONG)
    before = await stored(driver)
    # Written otherwise, and the same values.
    respelt = (
        '{ "cabin_class": null, "category": "short" }',
        *SHORT[1:3],
        '{"rfi": 2.0, "ef": 1.50}',
    )
    assert await save(driver, 20, LONG, respelt) == FactorChanges(0, 2, 0)
    assert await stored(driver) == before
    assert len(await driver.rows("SELECT FROM carbon.factor_versions")) == 2
    assert await changed_by(driver) == 10


async def test_where_entries_look_for_a_factor_is_a_change_too(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT)
    assert await save(driver, 20, (SHORT[0], "short", "economy", SHORT[3])) == FactorChanges(
        1, 1, 0
    )
    assert await changed_by(driver) == 20


async def test_a_factor_that_the_newest_file_lacks_is_flagged_and_still_read(
    driver: LedgerDriver,
) -> None:
    await save(driver, 10, SHORT, LONG)
    assert await save(driver, 20, LONG) == FactorChanges(0, 2, 1)
    assert {row["kind"]: row["stale"] for row in await stored(driver)} == {
        "short": True,
        "long": False,
    }
    async with driver.ledger.snapshot() as snapshot:
        read = frame_of(await read_factors(snapshot, SLICE), FACTOR_SCHEMA)
    assert sorted(read["kind"]) == ["long", "short"]
    assert read.filter(kind="short")["subkind"].to_list() == [None]
    # Which of two that fit is taken depends on it, so it is a change like others.
    assert await changed_by(driver) == 20
    assert await save(driver, 30, SHORT, LONG) == FactorChanges(0, 2, 0)
    assert await changed_by(driver) == 30


async def test_other_years_and_tenants_have_factors_of_their_own(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT)
    factors = pl.DataFrame(
        [("professional_travel.plane", *LONG)],
        schema=["emission_type", "classification", "kind", "subkind", "values"],
        orient="row",
    )
    another = FactorSlice(TENANT, PLANE, YEAR + 1)
    changes = await driver.publish(
        20,
        f"factors/{YEAR + 1}",
        lambda conn: save_factors(conn, another, factors, Origin("blob:b", "", 20)),
    )
    assert changes == FactorChanges(1, 1, 0, new=1)
    assert [(row["kind"], row["stale"]) for row in await stored(driver)] == [
        ("short", False),
        ("long", False),
    ]
    assert await changed_by(driver) == 10


async def id_of(driver: LedgerDriver, kind: str) -> int:
    [found] = [row["factor_id"] for row in await stored(driver) if row["kind"] == kind]
    return int(found)


async def in_force(driver: LedgerDriver) -> list[str]:
    async with driver.ledger.snapshot() as snapshot:
        return frame_of(await read_factors(snapshot, SLICE), FACTOR_SCHEMA)["kind"].to_list()


async def versions(driver: LedgerDriver) -> list[tuple[object, ...]]:
    rows = await driver.rows(
        "SELECT kind, version, factor_values, claim_token, file_name, removes"
        " FROM carbon.factor_versions ORDER BY factor_id, version"
    )
    return [tuple(row) for row in rows]


async def test_a_factor_out_of_force_is_kept_with_its_history(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT, LONG)
    only_long = await save(driver, 20, LONG, remove=[await id_of(driver, "short")])
    assert only_long == FactorChanges(changed=0, factors=1, stale=0, removed=1)
    assert await in_force(driver) == ["long"]
    assert await changed_by(driver) == 20
    assert await versions(driver) == [
        ("long", 1, {"ef": 0.25}, 10, "file 10", False),
        ("short", 1, {"ef": 1.5, "rfi": 2}, 10, "file 10", False),
        ("short", 2, {"ef": 1.5, "rfi": 2}, 20, "file 20", True),
    ]


async def test_a_later_file_brings_a_factor_back_under_its_id(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT, LONG)
    before = await stored(driver)
    await save(driver, 20, LONG, remove=[await id_of(driver, "short")])
    assert await save(driver, 30, SHORT, LONG) == FactorChanges(changed=1, factors=2, stale=0)
    after = await stored(driver)
    assert [row["factor_id"] for row in after] == [row["factor_id"] for row in before]
    assert sorted(await in_force(driver)) == ["long", "short"]
    assert [(row[1], row[5]) for row in await versions(driver) if row[0] == "short"] == [
        (1, False),
        (2, True),
        (3, False),
    ]


async def test_what_is_stale_can_be_taken_out_of_force(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT, LONG)
    await save(driver, 20, LONG)
    async with driver.ledger.snapshot() as snapshot:
        [stale] = await stale_factors(snapshot, SLICE)
    assert stale.classification == {"category": "short", "cabin_class": None}
    for token, removed in ((30, 1), (40, 0)):
        origin = Origin("", "", token)
        assert removed == await driver.publish(
            token,
            f"factors/{YEAR}",
            lambda conn, by=origin: remove_factors(conn, SLICE, by, [stale.factor_id]),  # type: ignore[misc]
        )
    assert await changed_by(driver) == 30
    assert await in_force(driver) == ["long"]
    async with driver.ledger.snapshot() as snapshot:
        assert await stale_factors(snapshot, SLICE) == []


async def test_factors_that_a_file_lacks_are_found(driver: LedgerDriver) -> None:
    await save(driver, 10, SHORT, LONG)
    file = pl.DataFrame(
        {"emission_type": ["professional_travel.plane"], "classification": [LONG[0]]}
    )
    async with driver.ledger.snapshot() as snapshot:
        [missing] = await factors_not_in(snapshot, SLICE, file)
    assert missing.classification["category"] == "short"


def test_a_factor_is_named_by_every_part_of_its_classification_long_ones_cut() -> None:
    named = {"category": "short", "fuel": None, "cabin_class": "economy"}
    assert NamedFactor(1, named).words == "short economy"
    long = {"category": "x" * 500, "cabin_class": "economy"}
    assert NamedFactor(1, long).words == "x" * 38 + "… economy"
