"""What the bare database takes to store the rows of a type, and the memory a process took."""

import tempfile
import time
from pathlib import Path

import asyncpg

FLOOR_NAME = "COPY of the entries + bare INSERT ... SELECT of the emissions"
TABLES = (
    "CREATE SCHEMA floor",
    "CREATE TABLE floor.entries (LIKE carbon.entries INCLUDING ALL)",
    "CREATE TABLE floor.emissions (LIKE carbon.emissions INCLUDING ALL)",
)
ENTRIES = """
    SELECT e.* FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
    WHERE s.state = 'PUBLISHED' AND s.data_entry_type = $1"""
EMISSIONS = """
    INSERT INTO floor.emissions
    SELECT e.* FROM carbon.emissions AS e
    JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
    WHERE s.state = 'PUBLISHED' AND s.data_entry_type = $1"""
COUNT = "SELECT count(*) FROM floor.emissions"


async def floor_seconds(database_url: str, data_entry_type: int, emissions: int) -> float:
    """What the bare database takes to store the published rows of a type once more.

    They go to tables of the same make. Raises AssertionError if they have not so many `emissions`.
    """
    connection = await asyncpg.connect(database_url)
    try:
        for statement in TABLES:
            await connection.execute(statement)
        with tempfile.TemporaryFile() as rows:
            await connection.copy_from_query(ENTRIES, data_entry_type, output=rows)
            await connection.execute("CHECKPOINT")
            rows.seek(0)
            began_at = time.perf_counter()
            await connection.copy_to_table("entries", schema_name="floor", source=rows)
            await connection.execute(EMISSIONS, data_entry_type)
            took = time.perf_counter() - began_at
        # A figure of rows that were not computed would be a good one.
        assert await connection.fetchval(COUNT) == emissions, "rows have no emissions"
        await connection.execute("DROP SCHEMA floor CASCADE")
    finally:
        await connection.close()
    return took


def peak_megabytes(pid: int) -> float:
    """The most that a process has ever had in memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the kernel does not say what process {pid} took")
