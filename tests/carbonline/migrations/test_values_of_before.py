"""Entries of builds without columns for their values are read on, and go back as they were."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence

import asyncpg
import pytest

from carbonline.migrations.run import downgrade, upgrade

BEFORE, HERE = "0025", "0026"
SET = """
INSERT INTO carbon.entry_sets
    (tenant, entry_set, module, data_entry_type, year, source, blob, state, made_at)
VALUES ('local', $1, 2, 20, 2024, 'csv_year', 'blob:a', 'LOADING', carbon.clock())
"""
ROW = """
INSERT INTO carbon.entries (tenant, entry_set, row_number, unit, data)
VALUES ('local', $1, $2, '0828', CAST(CAST($3 AS text) AS jsonb))
"""
OLD = ({"origin_iata": "gva", "number_of_trips": 2}, {"__kg_co2eq_override__": 0, "note": 'a\n"b'})
# As this build writes them: one value has no column.
NEW_SET = """
INSERT INTO carbon.entry_sets
    (tenant, entry_set, module, data_entry_type, year, source, blob, state, made_at,
    text_keys, number_keys)
VALUES ('local', 2, 2, 20, 2024, 'csv_year', 'blob:a', 'LOADING', carbon.clock(),
    '{origin_iata,note}', '{distance_km,__kg_co2eq_override__}')
"""
NEW_ROW = """
INSERT INTO carbon.entries
    (tenant, entry_set, row_number, unit, text_1, text_2, number_1, number_2, extra)
VALUES ('local', 2, $1, '0828', $2, $3, $4, $5, CAST(CAST($6 AS text) AS jsonb))
"""
NEW: Sequence[tuple[Sequence[object], Mapping[str, object]]] = (
    (("zrh", None, 407.25, None, None), {"origin_iata": "zrh", "distance_km": 407.25}),
    (
        (None, "\\.", None, 0.1, '{"cabin_class": "first"}'),
        {"note": "\\.", "__kg_co2eq_override__": 0.1, "cabin_class": "first"},
    ),
    ((None, None, None, None, None), {}),
)
VALUES = """
SELECT carbon.entry_values(e, s.text_keys, s.number_keys) AS data,
    carbon.entry_value(e, s.text_keys, s.number_keys, 'distance_km') AS distance
FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
ORDER BY e.entry_set, e.row_number
"""


@pytest.fixture
async def before(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A ledger of before, with two entries."""
    await upgrade(url, "ledger", BEFORE)
    connection = await asyncpg.connect(url)
    await connection.execute(SET, 1)
    for number, values in enumerate(OLD, 1):
        await connection.execute(ROW, 1, number, json.dumps(values))
    try:
        yield connection
    finally:
        await connection.close()


async def loaded(connection: asyncpg.Connection) -> None:
    """A set with columns, beside that of before."""
    await connection.execute(NEW_SET)
    for number, (row, _) in enumerate(NEW, 1):
        await connection.execute(NEW_ROW, number, *row)


def all_values() -> list[Mapping[str, object]]:
    return [*OLD, *(values for _, values in NEW)]


async def test_values_are_found_by_name_wherever_they_stand(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    await loaded(before)
    found = await before.fetch(VALUES)
    assert [json.loads(row["data"]) for row in found] == all_values()
    assert [row["distance"] for row in found] == [None, None, "407.25", None, None]


async def test_going_back_puts_all_values_into_one_object(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    await loaded(before)
    await downgrade(url, "ledger", BEFORE)
    found = await before.fetch("SELECT data FROM carbon.entries ORDER BY entry_set, row_number")
    assert [json.loads(row["data"]) for row in found] == all_values()


async def test_a_worker_of_before_fails_instead_of_reading_nothing(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    await loaded(before)
    with pytest.raises(asyncpg.UndefinedColumnError):
        await before.fetch("SELECT entry_set, row_number, unit, data FROM carbon.entries")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await before.execute(ROW, 1, 3, "{}")
