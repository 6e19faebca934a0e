"""Sets of entries: unseen until published, and then exactly what they replace goes."""

import asyncio
from functools import partial

import polars as pl
import pytest

from tests.worker_service.ledger.ledger_driver import (
    ENTRIES,
    MODULE,
    PLANE,
    TENANT,
    YEAR,
    LedgerDriver,
    an_hour,
)
from worker_service.carbon.entry_layout import WITHOUT_COLUMNS, EntryLayout
from worker_service.ledger.entry_sets import (
    NewSet,
    entry_rows,
    load_entries,
    open_set,
    published_sets,
    read_entries,
    read_sets,
    read_slice,
    years_with_entries,
)
from worker_service.ledger.errors import FenceRefused, PublicationMismatch
from worker_service.ledger.fences import Publication, publication
from worker_service.ledger.frames import frame_bytes
from worker_service.ledger.uploads import Contents, publish_upload


async def counting(driver: LedgerDriver) -> list[int]:
    async with driver.ledger.session() as conn:
        return [one.entry_set for one in await published_sets(conn, TENANT, PLANE, YEAR)]


async def test_a_set_counts_only_when_it_is_published(driver: LedgerDriver) -> None:
    new = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a")
    await driver.load(new, ["0828", "0829"])
    assert await counting(driver) == []
    assert await years_with_entries(driver.ledger, TENANT, PLANE) == []
    await driver.publish(10, ENTRIES, lambda conn: publish_upload(conn, new, Contents(2, 2)))
    assert await counting(driver) == [10]
    assert await years_with_entries(driver.ledger, TENANT, PLANE) == [YEAR]


@pytest.mark.parametrize(
    "other",
    [
        NewSet("another", 10, MODULE, PLANE, YEAR, None, "blob:a"),
        NewSet(TENANT, 10, MODULE, 21, YEAR, None, "blob:a"),
        NewSet(TENANT, 10, MODULE, PLANE, YEAR - 1, None, "blob:a"),
    ],
    ids=["tenant", "type", "year"],
)
async def test_a_file_replaces_nothing_of_another(driver: LedgerDriver, other: NewSet) -> None:
    await driver.load(other, ["0828"])
    scope = f"entries/{MODULE}/{other.year}"
    async with publication(driver.ledger, Publication(other.tenant, [scope], 10, an_hour)) as conn:
        await publish_upload(conn, other, Contents(1, 1))
    await driver.upload(20, ["0828"])
    assert await driver.states() == {10: "PUBLISHED", 20: "PUBLISHED"}


async def test_a_claim_that_comes_too_late_retires_nothing(driver: LedgerDriver) -> None:
    await driver.upload(20, ["0828"])
    late = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a")
    await driver.load(late, ["0829"])
    with pytest.raises(FenceRefused):
        await driver.publish(10, ENTRIES, lambda conn: publish_upload(conn, late, Contents(1, 1)))
    assert await driver.states() == {10: "LOADING", 20: "PUBLISHED"}


async def test_a_set_is_published_once(driver: LedgerDriver) -> None:
    await driver.upload(10, ["0828"])
    await driver.upload(20, ["0829"])
    again = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a")
    with pytest.raises(PublicationMismatch, match="set 10 cannot be published"):
        # Nobody can come here but by a defect; then nothing is committed.
        await driver.publish(30, ENTRIES, lambda c: publish_upload(c, again, Contents(1, 1)))
    assert await driver.states() == {10: "RETIRED", 20: "PUBLISHED"}
    assert await driver.fence() == (20, 0)


async def test_rows_come_back_in_batches_and_empty_ones_are_left_out(driver: LedgerDriver) -> None:
    new = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a")
    stored = pl.DataFrame(
        {
            "row_number": [1, 2, 7, 8],
            "unit": ["a", 'b "c", d', "", "\\."],
            "extra": ['{"n":1}', '{"note": "x\\n\\"y\\""}', "{}", '{"note": "\\\\."}'],
        },
        schema_overrides={"row_number": pl.Int32},
    )
    async with driver.ledger.transaction() as conn:
        await open_set(conn, new)
        await load_entries(conn, new, frame_bytes(entry_rows(new, stored)))
    await driver.publish(10, ENTRIES, lambda conn: publish_upload(conn, new, Contents(4, 8)))
    async with driver.ledger.snapshot() as snapshot:
        [one] = await published_sets(snapshot, TENANT, PLANE, YEAR)
        batches = [
            await asyncio.to_thread(rows.frame)
            async for rows in read_entries(snapshot, TENANT, one, batch_rows=3)
        ]
    assert [batch["row_number"].to_list() for batch in batches] == [[1, 2], [7, 8]]
    assert pl.concat(batches)["unit"].to_list() == stored["unit"].to_list()
    notes = pl.concat(batches)["extra"].str.json_path_match("$.note").to_list()
    assert notes == [None, 'x\n"y"', None, "\\."]


ODD = [
    "\\.",
    "a\n\\.\nb",
    '"',
    '""',
    ",",
    "\r",
    "\r\n",
    "\t",
    " ",
    "",
    "\\N",
    "NULL",
    "\u2028",
    "a\n\n",
]


async def test_any_text_comes_back_from_its_column(driver: LedgerDriver) -> None:
    layout = EntryLayout(("origin_iata", "note"), ("distance_km",))
    new = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a", layout=layout)
    texts = [*ODD, *(f"{one}{two}" for one in ODD for two in ODD), None]
    stored = pl.DataFrame(
        {
            "row_number": range(1, len(texts) + 1),
            "unit": ["0828"] * len(texts),
            "origin_iata": texts,
            "note": texts[::-1],
            "distance_km": [0.1 + number / 3 for number in range(len(texts))],
            "extra": [None] * len(texts),
        },
        schema_overrides={"row_number": pl.Int32, "extra": pl.String},
    )
    async with driver.ledger.transaction() as conn:
        await open_set(conn, new)
        await load_entries(conn, new, frame_bytes(entry_rows(new, stored)))
    await driver.publish(
        10, ENTRIES, lambda conn: publish_upload(conn, new, Contents(len(texts), len(texts)))
    )
    async with driver.ledger.snapshot() as snapshot:
        [one] = await published_sets(snapshot, TENANT, PLANE, YEAR)
        rows = await read_slice(snapshot, TENANT, one, 0, len(texts))
    assert one.layout == layout
    assert rows.frame().drop("entry_set").equals(stored)


def test_values_without_a_place_in_the_layout_are_not_left_out_in_silence() -> None:
    new = NewSet(TENANT, 10, MODULE, PLANE, YEAR, None, "blob:a")
    stored = pl.DataFrame({"row_number": [1], "unit": ["a"], "note": ["x"], "extra": [None]})
    with pytest.raises(ValueError, match="the layout of set 10 lacks note"):
        entry_rows(new, stored)


async def test_sets_of_two_layouts_share_no_batch(driver: LedgerDriver) -> None:
    plain, other = EntryLayout(("note",), ()), EntryLayout(("origin_iata",), ())
    for number, layout in enumerate((plain, plain, other, WITHOUT_COLUMNS), 1):
        unit = f"{number:04}"
        new = NewSet(*(TENANT, 10 * number, MODULE, PLANE, YEAR, unit, "blob:a"), layout=layout)
        await driver.load(new, [unit])
        await driver.publish(
            10 * number, ENTRIES, partial(publish_upload, new=new, contents=Contents(1, 1))
        )
    async with driver.ledger.snapshot() as snapshot:
        sets = await published_sets(snapshot, TENANT, PLANE, YEAR)
        batches = [rows async for rows in read_sets(snapshot, TENANT, sets, 100)]
    assert [rows.layout for rows in batches] == [plain, other, WITHOUT_COLUMNS]
    assert [rows.frame()["entry_set"].to_list() for rows in batches] == [[10, 20], [30], [40]]


async def test_small_sets_share_a_batch_and_no_row_is_left_out(driver: LedgerDriver) -> None:
    sizes = [2, 3, 9, 1, 1, 4, 5]
    for number, rows in enumerate(sizes, 1):
        await driver.upload(10 * number, [f"{number:04}"] * rows, unit=f"{number:04}")
    for batch_rows in (1, 4, 5, 100):
        async with driver.ledger.snapshot() as snapshot:
            sets = await published_sets(snapshot, TENANT, PLANE, YEAR)
            batches = [
                await asyncio.to_thread(rows.frame)
                async for rows in read_sets(snapshot, TENANT, sets, batch_rows)
            ]
        assert max(batch.height for batch in batches) <= batch_rows
        together = pl.concat(batches).select("entry_set", "row_number").rows()
        assert together == [
            (10 * number, row) for number, rows in enumerate(sizes, 1) for row in range(1, rows + 1)
        ]
        of_sets = [batch["entry_set"].n_unique() for batch in batches]
        assert (batch_rows < 100) or of_sets == [len(sizes)]
