"""The places of a transport mode are added, or replaced as a whole."""

import polars as pl

from tests.worker_service.ledger.ledger_driver import TENANT, LedgerDriver
from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.locations import (
    LOCATION_SCHEMA,
    MARK_STALE,
    PlaceChanges,
    PlacesFile,
    known_codes,
    read_locations,
    remove_locations,
    save_locations,
    stale_codes,
)


async def save_places(
    driver: LedgerDriver,
    token: int,
    mode: str,
    *codes: str,
    replace: bool = False,
    latitude: float = 46.2381,
    name: str = 'the "west", one\n\\.',
    file_name: str = "",
    is_whole: bool = True,
) -> PlaceChanges:
    places = pl.DataFrame(
        {
            "code": list(codes),
            "country": [None] * len(codes),
            "name": [name] * len(codes),
            "latitude": [latitude] * len(codes),
            "longitude": [-0.1] * len(codes),
        },
        schema_overrides={"country": pl.String},
    )
    named = file_name or f"file {token}"
    file = PlacesFile(TENANT, mode, places, named, f"blob:{token}", is_whole)
    return await driver.publish(
        token, "reference/locations", lambda c: save_locations(c, file, token, replace=replace)
    )


async def placed(driver: LedgerDriver) -> list[tuple[str, str]]:
    async with driver.ledger.snapshot() as snapshot:
        read = frame_of(await read_locations(snapshot, TENANT), LOCATION_SCHEMA)
    return read.select("transport_mode", "code").rows()


async def version(driver: LedgerDriver, kind: str = "locations") -> int:
    async with driver.ledger.snapshot() as snapshot:
        return await newest_change(snapshot, TENANT, [reference_input(kind)])


async def origin(driver: LedgerDriver, code: str) -> tuple[str, str, int]:
    [row] = await driver.rows(
        "SELECT file_name, blob, changed_token FROM carbon.locations WHERE code = $1", code
    )
    return tuple(row)


async def test_places_are_added_and_the_others_stay(driver: LedgerDriver) -> None:
    assert await save_places(driver, 10, "plane", "GVA", "CDG") == PlaceChanges(2, 0, 0, 0)
    assert await save_places(driver, 20, "plane", "CDG", "JFK") == PlaceChanges(1, 0, 1, 0)
    assert await placed(driver) == [("plane", "CDG"), ("plane", "GVA"), ("plane", "JFK")]
    assert await version(driver) == 20
    assert await version(driver, "rooms") == 0
    assert await origin(driver, "CDG") == ("file 10", "blob:10", 10)
    assert await origin(driver, "JFK") == ("file 20", "blob:20", 20)
    rows = await driver.rows("SELECT name, latitude, longitude FROM carbon.locations")
    assert {tuple(row) for row in rows} == {('the "west", one\n\\.', 46.2381, -0.1)}


async def test_the_same_places_change_nothing_and_a_name_moves_nothing(
    driver: LedgerDriver,
) -> None:
    await save_places(driver, 10, "plane", "GVA", "CDG")
    assert await save_places(driver, 20, "plane", "GVA") == PlaceChanges(0, 0, 1, 0)
    assert await save_places(driver, 30, "plane", "GVA", "CDG", replace=True) == PlaceChanges(
        0, 0, 2, 0
    )
    assert await save_places(driver, 40, "plane", "GVA", name="Geneva") == PlaceChanges(0, 1, 0, 0)
    assert await version(driver) == 10
    assert await save_places(driver, 50, "plane", "GVA", latitude=46.3) == PlaceChanges(0, 1, 0, 0)
    assert await version(driver) == 50
    assert await origin(driver, "GVA") == ("file 50", "blob:50", 50)


async def test_the_places_of_a_mode_are_replaced_whole(driver: LedgerDriver) -> None:
    await save_places(driver, 10, "plane", "GVA", "CDG")
    await save_places(driver, 20, "train", "Geneva")
    changes = await save_places(driver, 30, "plane", "CDG", "JFK", replace=True)
    assert changes == PlaceChanges(new=1, changed=0, same=1, gone=1)
    assert await placed(driver) == [("plane", "CDG"), ("plane", "JFK"), ("train", "Geneva")]
    assert await version(driver) == 30
    assert await save_places(driver, 40, "plane", "CDG", replace=True) == PlaceChanges(0, 0, 1, 1)
    assert await version(driver) == 40


async def test_a_place_counts_its_changes_and_is_stale_where_its_file_lacks_it(
    driver: LedgerDriver,
) -> None:
    async def states() -> list[tuple[object, ...]]:
        rows = await driver.rows(
            "SELECT code, version, stale FROM carbon.locations WHERE transport_mode = 'plane'"
            " ORDER BY code"
        )
        return [tuple(row) for row in rows]

    await save_places(driver, 10, "plane", "CDG", "GVA", "JFK", file_name="a")
    await save_places(driver, 20, "train", "GVA", file_name="a")
    await save_places(driver, 30, "plane", "GVA", latitude=46.3, file_name="b")
    assert await states() == [("CDG", 1, False), ("GVA", 2, False), ("JFK", 1, False)]
    part = await save_places(driver, 40, "plane", "JFK", file_name="a", is_whole=False)
    assert part.stale == 0
    whole = await save_places(driver, 50, "plane", "JFK", file_name="a")
    assert whole.stale == 1
    assert await states() == [("CDG", 1, True), ("GVA", 2, False), ("JFK", 1, False)]
    async with driver.ledger.snapshot() as conn:
        assert await stale_codes(conn, TENANT, "plane") == ["CDG"]
        assert await stale_codes(conn, TENANT, "train") == []
        known = await known_codes(conn, TENANT, "plane", ["CDG", "XXX"])
    assert known == {"CDG"}
    back = await save_places(driver, 60, "plane", "CDG", file_name="c")
    assert (back, await version(driver)) == (PlaceChanges(0, 0, 1, 0), 30)

    async def remove(token: int, *codes: str) -> int:
        return await driver.publish(
            token,
            "reference/locations",
            lambda conn: remove_locations(conn, TENANT, "plane", codes, token),
        )

    assert (await remove(70, "XXX"), await version(driver)) == (0, 30)
    assert (await remove(80, "GVA", "CDG"), await version(driver)) == (2, 80)
    assert await placed(driver) == [("plane", "JFK"), ("train", "GVA")]


async def test_a_stale_place_belongs_to_the_next_file_that_has_it(driver: LedgerDriver) -> None:
    async def stale() -> list[str]:
        async with driver.ledger.snapshot() as conn:
            return await stale_codes(conn, TENANT, "plane")

    await save_places(driver, 10, "plane", "CDG", "GVA", "JFK", file_name="a")
    assert (await save_places(driver, 20, "plane", "JFK", file_name="a")).stale == 2
    # Those that were stale before are not this file's doing.
    assert (await save_places(driver, 30, "plane", "CDG", file_name="b")).stale == 0
    assert await stale() == ["GVA"]
    assert await origin(driver, "CDG") == ("b", "blob:30", 10)
    assert (await save_places(driver, 40, "plane", "JFK", file_name="a")).stale == 0
    assert await stale() == ["GVA"]
    assert (await save_places(driver, 50, "plane", "LYS", file_name="b")).stale == 1
    assert await stale() == ["CDG", "GVA"]
    assert await origin(driver, "JFK") == ("a", "blob:10", 10)


async def test_a_table_without_statistics_is_not_compared_row_by_row(driver: LedgerDriver) -> None:
    codes = [f"{number:04}" for number in range(2000)]
    async with driver.ledger.session() as conn:
        of_file = (codes, True, "a file", "blob:a")
        plan = await conn.fetch(f"EXPLAIN {MARK_STALE}", TENANT, "plane", *of_file)
    text = "\n".join(line for (line,) in plan)
    assert "Scan" in text
    assert "SubPlan" not in text
    assert "Nested Loop" not in text


async def test_a_file_that_takes_stale_places_over_never_compares_row_by_row(
    driver: LedgerDriver,
) -> None:
    codes = [f"{number:04}" for number in range(2000)]
    await save_places(driver, 10, "plane", *codes, file_name="a")
    await save_places(driver, 20, "plane", "GVA", file_name="a")
    async with driver.ledger.session() as conn:
        mark = await conn.prepare(MARK_STALE)
        # From the sixth execution on PostgreSQL may plan for arrays that it does not know.
        taken_over = [
            tuple(*await mark.fetch(TENANT, "plane", codes, False, f"file {number}", "blob:b"))
            for number in range(7)
        ]
        [plans] = await conn.fetch(
            "SELECT custom_plans, generic_plans FROM pg_prepared_statements WHERE name = $1",
            mark.get_name(),
        )
    # One row each says how many were marked, and how many of them are stale.
    assert taken_over == [(2000, 0), *[(0, 0)] * 6]
    assert tuple(plans) == (7, 0)
