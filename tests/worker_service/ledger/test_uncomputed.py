"""Entries without kilograms are listed page by page, none lost and none twice."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import PLANE, SLICE, TENANT, YEAR, LedgerDriver
from worker_service.ledger.emission_sets import (
    load_emissions,
    load_outcome_counts,
    open_emission_sets,
    publish_emissions,
    uncomputed_rows,
)
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.uncomputed import (
    RowPosition,
    UncomputedFilter,
    UncomputedRow,
    list_uncomputed,
)


async def compute_none(driver: LedgerDriver, token: int) -> None:
    """Every entry of what is to be computed has no kilograms: odd rows an unknown place."""
    plan = await driver.plan()
    for entries in plan.compute:
        rows = await driver.rows(
            "SELECT row_number, unit FROM carbon.entries WHERE entry_set = $1", entries.entry_set
        )
        why = ["unknown_place" if row["row_number"] % 2 else "no_factor" for row in rows]
        frame = pl.DataFrame(
            {
                "entry_set": [entries.entry_set] * len(rows),
                "row_number": [row["row_number"] for row in rows],
                "unit": [row["unit"] for row in rows],
                "outcome": why,
                "detail": [f"reason {row['row_number']}" for row in rows],
            }
        )
        loaded = frame_bytes(uncomputed_rows(TENANT, token, frame))
        counts = frame.group_by("entry_set", "unit", "outcome").len().rows()
        async with driver.ledger.transaction() as conn:
            await open_emission_sets(conn, SLICE, token, [entries], plan.inputs)
            await load_emissions(conn, TENANT, token, b"", loaded)
            await load_outcome_counts(conn, TENANT, token, counts)
    await driver.publish(
        token, SLICE.ledger_scope, lambda c: publish_emissions(c, SLICE, token, plan)
    )


def wanted(**differing: Any) -> UncomputedFilter:
    return UncomputedFilter(
        **{
            "tenant": TENANT,
            "year": YEAR,
            "types": [PLANE],
            "units": None,
            "outcome": None,
            "upload": None,
            **differing,
        }
    )


async def listed(
    driver: LedgerDriver, rows_max: int, bounds: Mapping[str, int] = {}, **differing: Any
) -> tuple[list[UncomputedRow], Sequence[int]]:
    """All rows, and how many were on each page."""
    rows: list[UncomputedRow] = []
    sizes: list[int] = []
    after: RowPosition | None = RowPosition()
    while after is not None:
        page = await list_uncomputed(driver.ledger, wanted(**differing), after, rows_max, **bounds)
        rows += page.rows
        sizes.append(len(page.rows))
        after = page.ends_at
        assert len(sizes) < 100, "the pages come to an end"
    return rows, sizes


@pytest.fixture
async def uploads(driver: LedgerDriver) -> Sequence[tuple[int, int]]:
    """Two files without kilograms: (upload, row number) of each entry."""
    await driver.upload(10, ["0828", "0829"] * 5)
    await driver.upload(20, ["0828"] * 3, unit="0828")
    await compute_none(driver, 30)
    return [(10, row) for row in range(1, 11)] + [(20, row) for row in range(1, 4)]


@pytest.mark.parametrize("rows_max", [1, 3, 10, 13, 100])
async def test_every_entry_is_on_one_page(
    driver: LedgerDriver, uploads: Sequence[tuple[int, int]], rows_max: int
) -> None:
    rows, sizes = await listed(driver, rows_max)
    assert [(row.place.upload, row.place.row_number) for row in rows] == uploads
    assert max(sizes) <= rows_max
    first = rows[0]
    assert (first.unit, first.outcome, first.detail) == ("0828", "unknown_place", "reason 1")
    assert (first.place.data_entry_type, first.module, first.data) == (PLANE, SLICE.module, {})


@pytest.mark.parametrize("looks_max", [2, 3, 50_000])
async def test_filters_find_all_that_fits_however_little_a_page_looks_at(
    driver: LedgerDriver,
    uploads: Sequence[tuple[int, int]],
    looks_max: int,
) -> None:
    bounds = {"looks_max": looks_max}
    rows, sizes = await listed(driver, 4, bounds, units=["0829"])
    assert [row.place.row_number for row in rows] == [2, 4, 6, 8, 10]
    rows, _ = await listed(driver, 4, bounds, outcome="no_factor")
    assert [(row.place.upload, row.place.row_number) for row in rows] == [
        *((10, row) for row in (2, 4, 6, 8, 10)),
        (20, 2),
    ]
    rows, _ = await listed(driver, 4, bounds, upload=20, outcome="unknown_place")
    assert [(row.place.upload, row.place.row_number) for row in rows] == [(20, 1), (20, 3)]
    assert (await listed(driver, 4, bounds, units=["0830"]))[0] == []
    assert max(sizes) <= 4


async def test_a_page_ends_where_its_rows_weigh_enough(
    driver: LedgerDriver, uploads: Sequence[tuple[int, int]]
) -> None:
    await driver.rows(
        "UPDATE carbon.entries SET extra = jsonb_build_object('note', repeat('x', 90))"
    )
    rows, sizes = await listed(driver, 100, {"bytes_max": 250})
    assert [(row.place.upload, row.place.row_number) for row in rows] == uploads
    assert max(sizes) == 3


async def test_others_are_not_listed(
    driver: LedgerDriver, uploads: Sequence[tuple[int, int]]
) -> None:
    assert (await listed(driver, 10, tenant="another"))[0] == []
    assert (await listed(driver, 10, year=YEAR + 1))[0] == []
    assert (await listed(driver, 10, types=[21]))[0] == []
    assert (await listed(driver, 10, upload=11))[0] == []
