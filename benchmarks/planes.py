"""(d) A file of flights to totals: rows per second of each step, and the memory it takes."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.file_stack import FileBench, ended, running_files, server_seconds
from benchmarks.stored_rows import FLOOR_NAME, floor_seconds, peak_megabytes
from carbonline.command.demo import find_files, parts_of
from carbonline.command.job_stats import count_of
from carbonline.command.jobs_of_files import submit_file
from carbonline.command.picture import seconds_of

# One process runs all steps: of two, some runs would give all to one and some would not.
WORKER = "worker-1"


@dataclass(frozen=True)
class Sizes:
    """Rows of the files that are measured, smallest first."""

    rows: Sequence[int]


async def measure(sizes: Sizes) -> list[Figure]:
    """Rows per second, end to end and by step, each beside what PostgreSQL does alone."""
    figures = []
    async with running_files() as bench:
        for part in parts_of(find_files())[:-1]:
            await ended(bench, await submit_file(bench.client, part.job))
        for rows in sizes.rows:
            # A process keeps what it once took, so each size has processes of its own.
            await bench.stack.restart(WORKER)
            figures += await _measure(bench, rows)
    return figures


async def _measure(bench: FileBench, rows: int) -> list[Figure]:
    job = replace(parts_of(find_files())[-1].job, file=file_of_flights(bench.folder, rows))
    view = await ended(bench, await submit_file(bench.client, job))
    peak = peak_megabytes(bench.stack.pid(WORKER))
    url = bench.stack.addresses.database_url
    # The demo's cancelled flights are rejected.
    accepted = sum(count_of(one, "rows_accepted") for one in view.in_order())
    floor = rows / await floor_seconds(url, job.data_entry_type, accepted)
    figures = [
        Figure(
            f"{rows:,} flights, end to end",
            rows / server_seconds(view),
            "rows/s",
            FLOOR_NAME,
            floor,
        )
    ]
    figures += [
        Figure(f"{rows:,} flights, {one.job_type}", rows / (seconds_of(one, 0.0) or 0.0), "rows/s")
        for one in view.in_order()
    ]
    return [*figures, Figure(f"{rows:,} flights, peak memory of a worker", peak, "MB")]


def file_of_flights(folder: Path, rows: int) -> Path:
    """The demo's flights over and over, so many of them."""
    header, *flights = gzip.decompress(parts_file().read_bytes()).splitlines(keepends=True)
    target = folder / f"flights_{rows}.csv"
    with target.open("wb") as file:
        file.write(header)
        for copy, start in enumerate(range(0, rows, len(flights))):
            # Others flew: a file that was pasted below itself is another thing, and warned of.
            traveller = b",economy," if copy == 0 else b"-%d,economy," % copy
            some = flights[: rows - start]
            file.writelines(line.replace(b",economy,", traveller, 1) for line in some)
    return target


def parts_file() -> Path:
    """The demo's file of flights."""
    file = parts_of(find_files())[-1].job.file
    assert file is not None, "the demo's activity has a file"
    return file
