"""What was uploaded before uploads had a source goes on counting; the build before goes on, too."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from carbonline.migrations.run import downgrade, upgrade

BEFORE, HERE = "0001", "0002"
# As the build before writes them.
OPEN_SET = """
INSERT INTO carbon.entry_sets
    (tenant, entry_set, module, data_entry_type, year, unit, source, blob, state, made_at)
VALUES ('local', $1, 2, 20, 2024, $2, $3, 'blob:a', 'LOADING', carbon.clock())
"""
PUBLISH = """
UPDATE carbon.entry_sets SET state = 'PUBLISHED', published_at = carbon.clock()
WHERE entry_set = $1
"""
RETIRE_THE_YEARS = """
UPDATE carbon.entry_sets
SET state = 'RETIRED', retired_at = carbon.clock(), retired_by = $1
WHERE tenant = 'local' AND data_entry_type = 20 AND year = 2024 AND source = 'csv_year'
    AND state = 'PUBLISHED'
"""
SETS = "SELECT entry_set, state, source_name FROM carbon.entry_sets ORDER BY entry_set"


@pytest.fixture
async def before(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A ledger of before, with two uploads of one unit, one of another, and one of the year."""
    await upgrade(url, "ledger", BEFORE)
    connection = await asyncpg.connect(url)
    for entry_set, unit in ((1, "0828"), (2, None), (3, "0829"), (4, "0828"), (5, "0828")):
        await upload(connection, entry_set, unit)
    try:
        yield connection
    finally:
        await connection.close()


async def upload(connection: asyncpg.Connection, entry_set: int, unit: str | None) -> None:
    """What the build before does at the end of an ingest."""
    source = "csv_year" if unit is None else "csv_unit"
    await connection.execute(OPEN_SET, entry_set, unit, source)
    if unit is None:
        await connection.execute(RETIRE_THE_YEARS, entry_set)
    await connection.execute(PUBLISH, entry_set)


async def test_all_that_counted_counts_under_names_of_its_own(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    assert [tuple(row) for row in await before.fetch(SETS)] == [
        (1, "PUBLISHED", "default"),
        (2, "PUBLISHED", "default"),
        (3, "PUBLISHED", "default"),
        (4, "PUBLISHED", "default-2"),
        (5, "PUBLISHED", "default-3"),
    ]


async def test_the_build_before_goes_on_replacing_a_years_file(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    await upload(before, 6, None)
    states = {row["entry_set"]: row["state"] for row in await before.fetch(SETS)}
    assert (states[2], states[6]) == ("RETIRED", "PUBLISHED")


async def test_the_build_before_can_count_nothing_twice(
    before: asyncpg.Connection, url: str
) -> None:
    await upgrade(url, "ledger", HERE)
    with pytest.raises(
        asyncpg.UniqueViolationError, match="one_published_upload_per_type_year_unit_and_source"
    ):
        await upload(before, 6, "0828")


async def test_going_back_loses_no_upload(before: asyncpg.Connection, url: str) -> None:
    await upgrade(url, "ledger", HERE)
    await downgrade(url, "ledger", BEFORE)
    states = await before.fetch("SELECT state FROM carbon.entry_sets")
    assert [row["state"] for row in states] == ["PUBLISHED"] * 5
