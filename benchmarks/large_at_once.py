"""(k) Large files at once while short ones come: what all take, and the memory of the workers."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure
from benchmarks.file_stack import FileBench, ended, running_files
from benchmarks.planes import file_of_flights
from benchmarks.small_changes import HEADER, PLANE, ROUTES, SMALL_ROWS, TRAVEL
from benchmarks.stored_rows import peak_megabytes
from carbonline.command.demo import find_files, parts_of
from carbonline.command.jobs_of_files import (
    FileJob,
    entries_job,
    factors_job,
    submit_file,
    units_job,
)

SMALL_YEAR = 2000
FIRST_YEAR = 2001
WORKERS = 2


@dataclass(frozen=True)
class Sizes:
    """Rows of each large file, and how many are loaded at once, each into a year of its own."""

    rows: int
    files: int


async def measure(sizes: Sizes) -> list[Figure]:
    """On the stack as `carbonline up` starts it."""
    async with running_files(workers=WORKERS) as bench:
        years = range(FIRST_YEAR, FIRST_YEAR + sizes.files)
        await _load_references(bench, [SMALL_YEAR, *years])
        # The first one in a process loads its libraries.
        for _ in range(WORKERS):
            await _small_seconds(bench, 0)
        file = file_of_flights(bench.folder, sizes.rows)
        began_at = time.perf_counter()
        large = [
            await submit_file(bench.client, entries_job(file, TRAVEL, PLANE, year, ""))
            for year in years
        ]
        waiting = asyncio.ensure_future(_all_ended(bench, large))
        small: list[float] = []
        while not waiting.done():
            small.append(await _small_seconds(bench, len(small) + 1))
        await waiting
        took = time.perf_counter() - began_at
        peak = max(peak_megabytes(bench.stack.pid(name)) for name in _workers())
    name = f"{sizes.files} files of {sizes.rows:,} flights at once"
    return [
        Figure(f"{name}, all rows", sizes.files * sizes.rows / took, "rows/s"),
        Figure(f"{name}, peak memory of a worker", peak, "MB"),
        Figure(f"{SMALL_ROWS} rows meanwhile, p50 of {len(small)}", median(small), "s"),
        Figure(f"{SMALL_ROWS} rows meanwhile, longest", max(small), "s"),
    ]


def _workers() -> list[str]:
    return [f"worker-{number}" for number in range(1, WORKERS + 1)]


async def _load_references(bench: FileBench, years: list[int]) -> None:
    files = find_files()
    jobs = [parts_of(files)[1].job]
    for year in years:
        jobs.append(units_job(files / "units.csv", year))
        jobs.append(factors_job(files / "factors_plane_2024.csv", TRAVEL, PLANE, year))
    for job in jobs:
        await ended(bench, await submit_file(bench.client, job))


async def _all_ended(bench: FileBench, pipelines: list[int]) -> None:
    for pipeline_id in pipelines:
        await ended(bench, pipeline_id)


async def _small_seconds(bench: FileBench, number: int) -> float:
    """From the call of Submit until the client knows the end."""
    began_at = time.perf_counter()
    await ended(bench, await submit_file(bench.client, _small(bench.folder, number)))
    return time.perf_counter() - began_at


def _small(folder: Path, number: int) -> FileJob:
    rows = "".join(
        f"UA,{ROUTES[row % len(ROUTES)]},u{number}-{row},economy,1\n" for row in range(SMALL_ROWS)
    )
    file = folder / f"small_{number}.csv"
    file.write_text(HEADER + rows)
    return entries_job(file, TRAVEL, PLANE, SMALL_YEAR, "UA", "small")
