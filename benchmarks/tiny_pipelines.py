"""(i) Uploads of twenty rows, one after the other and many at once: what each costs and takes."""

import asyncio
import time
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

import asyncpg

from benchmarks.figures import Figure
from benchmarks.file_stack import FileBench, ended, running_files
from benchmarks.small_changes import FACTORS, HEADER, PLANE, ROUTES, SMALL_ROWS, TRAVEL
from carbonline.command.demo import find_files, parts_of
from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    submit_file,
    units_job,
)

FIRST_YEAR = 2000
UNITS = 100
# A session says what it did when it has been idle for ten seconds.
SAID_BY_SECONDS = 12.0
EACH_STATEMENT = "log_statement"
MARKS = ("LOG:  statement: ", "LOG:  execute ")
COUNTS = """
SELECT d.xact_commit + d.xact_rollback AS transactions, w.fsyncs
FROM pg_stat_database AS d,
    (SELECT CAST(sum(fsyncs) AS bigint) AS fsyncs FROM pg_stat_io WHERE object = 'wal') AS w
WHERE d.datname = current_database()
"""
# Before version 18 of PostgreSQL.
OLDER_COUNTS = """
SELECT d.xact_commit + d.xact_rollback AS transactions, w.wal_sync AS fsyncs
FROM pg_stat_database AS d, pg_stat_wal AS w
WHERE d.datname = current_database()
"""


@dataclass(frozen=True)
class Sizes:
    """How many uploads one after the other, and how many in how many years at once."""

    alone: int
    at_once: int
    years: int


class Counts(NamedTuple):
    """What PostgreSQL has counted so far, and when it was asked."""

    transactions: int
    statements: int
    fsyncs: int
    at: float


async def measure(sizes: Sizes) -> list[Figure]:
    """Costs of one upload, from Submit to totals, without what the idle stack does meanwhile."""
    async with running_files(workers=2) as bench:
        uploads = _Uploads(bench)
        await uploads.load(sizes.years)
        figures = await uploads.costs(sizes.alone)
        figures += await uploads.seen(sizes.alone)
        figures.append(await uploads.at_once(sizes.at_once, sizes.years))
        figures.append(await uploads.at_once(sizes.at_once, 1))
        return figures


@dataclass
class _Uploads:
    bench: FileBench
    number: int = 0

    async def load(self, years: int) -> None:
        """Units, places, and factors of each year."""
        units = "unit_institutional_id,name\n" + "".join(
            f"{unit:04},Unit {unit}\n" for unit in range(UNITS)
        )
        file = self.bench.folder / "units.csv"
        file.write_text(units)
        factors = self.bench.folder / "factors.csv"
        factors.write_text(FACTORS + "all,economy,0.15,1.9,0,\nall,first,0.2,1.9,0,\n")
        for year in range(FIRST_YEAR, FIRST_YEAR + years):
            await self._end(units_job(file, year))
        await self._end(parts_of(find_files())[1].job)
        for year in range(FIRST_YEAR, FIRST_YEAR + years):
            await self._end(factors_job(factors, TRAVEL, PLANE, year))
        # The first one in a process loads its libraries.
        await self.at_once(4, 1)

    async def costs(self, count: int) -> list[Figure]:
        """Transactions, statements and fsyncs of PostgreSQL, by its own counters."""
        await self._log_statements("all")
        began = await self._counted()
        for _ in range(count):
            await self._end(self._small(FIRST_YEAR))
        busy = await self._counted()
        await asyncio.sleep(busy.at - began.at)
        idle = await self._counted()
        await self._log_statements("none")

        def of_one(name: str) -> float:
            start, middle, end = (float(getattr(one, name)) for one in (began, busy, idle))
            share = (busy.at - began.at) / (idle.at - busy.at)
            return ((middle - start) - (end - middle) * share) / count

        return [
            Figure(f"{SMALL_ROWS} rows, one pipeline, {name}", of_one(name), name)
            for name in ("transactions", "statements", "fsyncs")
        ]

    async def seen(self, count: int) -> list[Figure]:
        """From the call of Submit to the end in the client that watches, on an idle stack."""
        took = []
        for _ in range(count):
            began_at = time.perf_counter()
            await self._end(self._small(FIRST_YEAR))
            took.append(time.perf_counter() - began_at)
        name = f"{SMALL_ROWS} rows, submitted until the client knows the end, p50"
        return [Figure(name, median(took) * 1_000, "ms")]

    async def at_once(self, count: int, years: int) -> Figure:
        """Pipelines that are submitted without waiting for the one before."""
        jobs = [self._small(FIRST_YEAR + number % years) for number in range(count)]
        began_at = time.perf_counter()
        submitted = [await submit_file(self.bench.client, job) for job in jobs]
        for pipeline_id in submitted:
            await ended(self.bench, pipeline_id)
        of = "one year" if years == 1 else f"{years} years"
        rate = count / (time.perf_counter() - began_at)
        return Figure(f"{SMALL_ROWS} rows, pipelines of {of} at once", rate, "/s")

    def _small(self, year: int) -> FileJob:
        self.number += 1
        unit = f"{self.number % UNITS:04}"
        rows = "".join(
            f"{unit},{ROUTES[row % len(ROUTES)]},u{self.number}-{row},economy,1\n"
            for row in range(SMALL_ROWS)
        )
        file = self.bench.folder / f"unit_{self.number}.csv"
        file.write_text(HEADER + rows)
        source = f"n{self.number // UNITS}"
        return entries_job(file, TRAVEL, PLANE, year, unit, source)

    async def _end(self, job: FileJob) -> None:
        await ended(self.bench, await submit_file(self.bench.client, job))

    async def _log_statements(self, which: str) -> None:
        conn = await asyncpg.connect(self.bench.stack.addresses.database_url)
        try:
            await conn.execute(f"ALTER SYSTEM SET {EACH_STATEMENT} = '{which}'")
            await conn.execute("SELECT pg_reload_conf()")
        finally:
            await conn.close()

    async def _counted(self) -> Counts:
        await asyncio.sleep(SAID_BY_SECONDS)
        conn = await asyncpg.connect(self.bench.stack.addresses.database_url)
        try:
            is_old = conn.get_server_version().major < 18
            row = await conn.fetchrow(OLDER_COUNTS if is_old else COUNTS)
        finally:
            await conn.close()
        assert row is not None
        log = self.bench.stack.child("postgres").log_file.read_text("utf-8", errors="replace")
        statements = sum(log.count(mark) for mark in MARKS)
        return Counts(row["transactions"], statements, row["fsyncs"], time.monotonic())
