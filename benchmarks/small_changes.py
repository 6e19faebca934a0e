"""(h) Small changes in a large year: a unit's file, one factor, the same files again, totals."""

import asyncio
import time
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, percentile
from benchmarks.file_stack import FileBench, ended, running_files, server_seconds
from carbonline.command.demo import find_files, parts_of
from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    submit_file,
    units_job,
)

SMALL_ROWS = 20
YEAR, SMALL_YEAR = 2024, 2023
TRAVEL, PLANE = 2, 20
FIRST_SETS = 24
READERS, READS = 16, 20
IN_A_SMALL_YEAR = "the same in a year without other rows"
HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "number_of_trips\n"
)
FACTORS = "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
ROUTES = tuple(
    f"{origin},{target}"
    for origin in ("GVA", "ZRH", "CDG", "LHR", "JFK", "MAD")
    for target in ("VIE", "AMS", "FCO", "LIS", "ARN", "DUB", "HND", "SFO")
)


@dataclass(frozen=True)
class Sizes:
    """Rows of the large year, its units, its uploads at last, and how often each is measured."""

    rows: int
    units: int
    sets: int
    times: int


async def measure(sizes: Sizes) -> list[Figure]:
    """Seconds on the server, from Submit to totals."""
    async with running_files() as bench:
        changes = _Changes(bench, sizes)
        await changes.load()
        figures = await changes.of_units(FIRST_SETS)
        figures += await changes.of_the_same_files()
        figures += await changes.of_one_factor()
        figures += await changes.of_totals()
        await changes.load_units_files(sizes.sets - FIRST_SETS)
        return [*figures, *await changes.of_units(sizes.sets)]


@dataclass
class _Changes:
    bench: FileBench
    sizes: Sizes
    number: int = 0

    async def load(self) -> None:
        """A year of many rows in FIRST_SETS uploads, and one without any."""
        places = parts_of(find_files())[1].job
        units = "unit_institutional_id,name\n" + "".join(
            f"{unit:04},Unit {unit}\n" for unit in range(self.sizes.units)
        )
        for year in (YEAR, SMALL_YEAR):
            await self._end(units_job(self._file("units.csv", units), year))
        await self._end(places)
        for year in (YEAR, SMALL_YEAR):
            await self._end(self._factors(0.2, year))
        await self._end(self._large())
        for number in range(1, FIRST_SETS):
            text = self._rows(100, f"s{number}")
            await self._end(_entries(self._file(f"source_{number}.csv", text), source=f"s{number}"))

    async def load_units_files(self, count: int) -> None:
        """So many uploads of units more, without waiting for each."""
        submitted = [await submit_file(self.bench.client, self._small(YEAR)) for _ in range(count)]
        for pipeline_id in submitted:
            await ended(self.bench, pipeline_id)

    async def of_units(self, sets: int) -> list[Figure]:
        """A unit's file of twenty rows, beside the same where nothing else is."""
        alone = median([await self._end(self._small(SMALL_YEAR)) for _ in self._times])
        among = median([await self._end(self._small(YEAR)) for _ in self._times])
        name = f"{SMALL_ROWS} rows of a unit into {self.sizes.rows:,}, {sets:,} uploads"
        return [Figure(name, among, "s", IN_A_SMALL_YEAR, alone)]

    async def of_the_same_files(self) -> list[Figure]:
        """The same factors, and the same large file, again."""
        factors = median([await self._end(self._factors(0.2, YEAR)) for _ in self._times])
        large = median([await self._end(self._large()) for _ in self._times])
        return [
            Figure("the same factors again", factors, "s"),
            Figure(f"the same {self.sizes.rows:,} rows again", large, "s"),
        ]

    async def of_one_factor(self) -> list[Figure]:
        """Another value of the factor that one row in a thousand uses."""
        took = [
            await self._end(self._factors(0.2 + step / 100, YEAR))
            for step, _ in enumerate(self._times, 1)
        ]
        return [Figure(f"one factor, {self.sizes.rows // 1_000:,} rows", median(took), "s")]

    async def of_totals(self) -> list[Figure]:
        """GetTotals of all units by readers who ask at once."""
        took: list[float] = []

        async def read() -> None:
            for _ in range(READS):
                began_at = time.perf_counter()
                answer = await self.bench.client.get_totals(YEAR)
                took.append(time.perf_counter() - began_at)
                assert len(answer.unit_totals) == self.sizes.units

        await asyncio.gather(*(read() for _ in range(READERS)))
        name = f"GetTotals of {self.sizes.units} units, {READERS} readers"
        return [
            Figure(f"{name}, p{share:.0%}".rstrip("%"), percentile(took, share) * 1_000, "ms")
            for share in (0.5, 0.99)
        ]

    @property
    def _times(self) -> range:
        return range(self.sizes.times)

    def _large(self) -> FileJob:
        return _entries(self._file("large.csv", self._rows(self.sizes.rows, "t")))

    def _small(self, year: int) -> FileJob:
        """A file of its own of the next unit."""
        self.number += 1
        unit = f"{self.number % self.sizes.units:04}"
        text = self._rows(SMALL_ROWS, f"u{self.number}", unit)
        source = f"n{self.number // self.sizes.units}"
        job = _entries(self._file(f"unit_{self.number}.csv", text), unit=unit, source=source)
        return replace(job, year=year)

    def _factors(self, kg_of_first: float, year: int) -> FileJob:
        # One row in a thousand flies in first class.
        text = FACTORS + f"all,economy,0.15,1.9,0,\nall,first,{kg_of_first},1.9,0,\n"
        return factors_job(self._file("factors.csv", text), TRAVEL, PLANE, year)

    def _rows(self, count: int, traveller: str, unit: str = "") -> str:
        lines = [HEADER]
        for row in range(count):
            of_row = unit or f"{row % self.sizes.units:04}"
            cabin = "first" if row % 1_000 == 0 else "economy"
            lines.append(f"{of_row},{ROUTES[row % len(ROUTES)]},{traveller}{row},{cabin},1\n")
        return "".join(lines)

    def _file(self, name: str, text: str) -> Path:
        target = self.bench.folder / name
        target.write_text(text)
        return target

    async def _end(self, job: FileJob) -> float:
        return server_seconds(await ended(self.bench, await submit_file(self.bench.client, job)))


def _entries(file: Path, unit: str = "", source: str = "") -> FileJob:
    return entries_job(file, TRAVEL, PLANE, YEAR, unit, source)
