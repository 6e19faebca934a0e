"""Units keep their first spelling; the places of a transport mode are replaced whole."""

import polars as pl

from tests.ledger.books import TENANT, Books
from worker_service.ledger.frames import frame_bytes, frame_of
from worker_service.ledger.input_versions import newest_change, reference_input
from worker_service.ledger.locations import (
    LOCATION_SCHEMA,
    location_rows,
    read_locations,
    replace_locations,
)
from worker_service.ledger.units import read_units, save_units


async def save(books: Books, token: int, units: dict[str, str]) -> int:
    return await books.publish(
        token, "units", lambda c: save_units(c, TENANT, list(units), list(units.values()), token)
    )


async def test_a_unit_keeps_its_first_spelling_and_takes_its_new_name(books: Books) -> None:
    assert await save(books, 10, {"Phys": "Physics", "Straße": "Roads"}) == 2
    assert await save(books, 20, {"PHYS": "Institute of Physics", "STRASSE": "Roads"}) == 1
    assert await read_units(books.ledger, TENANT) == ["Phys", "Straße"]
    rows = await books.rows("SELECT unit, name, changed_token FROM carbon.units ORDER BY unit")
    assert [tuple(row) for row in rows] == [
        ("Phys", "Institute of Physics", 20),
        ("Straße", "Roads", 10),
    ]


async def test_no_unit_goes_and_the_same_units_change_nothing(books: Books) -> None:
    await save(books, 10, {"a": "A", "b": "B"})
    assert await save(books, 20, {"a": "A"}) == 0
    assert await read_units(books.ledger, TENANT) == ["a", "b"]
    assert await read_units(books.ledger, "another") == []


async def replace(books: Books, token: int, mode: str, *codes: str) -> int:
    places = pl.DataFrame(
        {
            "transport_mode": mode,
            "code": list(codes),
            "country": [None] * len(codes),
            "name": ['the "west", one\n\\.'] * len(codes),
            "latitude": [46.2381] * len(codes),
            "longitude": [-0.1] * len(codes),
        },
        schema_overrides={"country": pl.String},
    )
    rows = frame_bytes(location_rows(TENANT, places))
    return await books.publish(
        token, "reference/locations", lambda c: replace_locations(c, TENANT, mode, rows, token)
    )


async def test_the_places_of_a_mode_are_replaced_whole(books: Books) -> None:
    assert await replace(books, 10, "plane", "GVA", "CDG") == 0
    assert await replace(books, 20, "train", "Geneva") == 0
    assert await replace(books, 30, "plane", "CDG", "JFK") == 1
    async with books.ledger.snapshot() as snapshot:
        read = frame_of(await read_locations(snapshot, TENANT), LOCATION_SCHEMA)
        assert await newest_change(snapshot, TENANT, [reference_input("locations")]) == 30
        assert await newest_change(snapshot, TENANT, [reference_input("rooms")]) == 0
    assert read.select("transport_mode", "code").rows() == [
        ("plane", "CDG"),
        ("plane", "JFK"),
        ("train", "Geneva"),
    ]
    assert read.row(0)[2:] == (46.2381, -0.1)
    assert {name for [name] in await books.rows("SELECT name FROM carbon.locations")} == {
        'the "west", one\n\\.'
    }
