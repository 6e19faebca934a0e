"""`make bench`: figures beside their references, printed and appended to RESULTS.md."""

import argparse
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence

import uvloop

from benchmarks import (
    console_pages,
    drain_jobs,
    held_snapshot,
    keyed_jobs,
    large_at_once,
    lost_node,
    machine,
    planes,
    readers,
    rows_of_types,
    single_pairs,
    small_changes,
    start_latency,
    submit_jobs,
    tiny_pipelines,
    watchers,
)
from benchmarks.figures import Figure, append_row
from carbonline.local.postgres.binaries import find_binaries

Part = Callable[[bool], Awaitable[Sequence[Figure]]]


async def _jobs(short: bool) -> Sequence[Figure]:
    sizes = drain_jobs.Sizes(4_000, 10_000) if short else drain_jobs.Sizes(100_000, 1_000_000)
    return [
        *await drain_jobs.measure(sizes),
        *await keyed_jobs.measure(1 if short else 10),
        *await single_pairs.measure(200 if short else 2_000),
    ]


async def _submits(short: bool) -> Sequence[Figure]:
    return await submit_jobs.measure(
        submit_jobs.Sizes(2_000, 5_000) if short else submit_jobs.Sizes(20_000, 60_000)
    )


async def _latency(short: bool) -> Sequence[Figure]:
    return await start_latency.measure(60 if short else 500)


async def _watchers(short: bool) -> Sequence[Figure]:
    if short:
        return await watchers.measure([200], 50)
    return await watchers.measure([1_000, 5_000], 300)


async def _planes(short: bool) -> Sequence[Figure]:
    return await planes.measure(
        planes.Sizes((20_000,) if short else (100_000, 1_000_000, 3_000_000))
    )


async def _machine(short: bool) -> Sequence[Figure]:
    return await machine.measure(10_000 if short else 100_000)


async def _readers(short: bool) -> Sequence[Figure]:
    return await readers.measure(
        readers.Sizes(20_000, 50, 5.0) if short else readers.Sizes(1_000_000, 200, 30.0)
    )


async def _held_snapshot(short: bool) -> Sequence[Figure]:
    # A short one would show nothing: the cost grows with the minutes.
    return [] if short else await held_snapshot.measure(held_snapshot.Sizes(10))


async def _small_changes(short: bool) -> Sequence[Figure]:
    return await small_changes.measure(
        small_changes.Sizes(5_000, 20, 26, 1)
        if short
        else small_changes.Sizes(1_000_000, 500, 1_004, 5)
    )


async def _tiny_pipelines(short: bool) -> Sequence[Figure]:
    return await tiny_pipelines.measure(
        tiny_pipelines.Sizes(4, 8, 2) if short else tiny_pipelines.Sizes(40, 200, 20)
    )


async def _console(short: bool) -> Sequence[Figure]:
    return await console_pages.measure(
        console_pages.Sizes(1, 50, 1) if short else console_pages.Sizes(5, 1_000, 10)
    )


async def _large_at_once(short: bool) -> Sequence[Figure]:
    return await large_at_once.measure(large_at_once.Sizes(20_000 if short else 1_000_000, 4))


async def _rows_of_types(short: bool) -> Sequence[Figure]:
    return await rows_of_types.measure(5_000 if short else 100_000)


async def _lost_node(short: bool) -> Sequence[Figure]:
    return await lost_node.measure(2_000 if short else 10_000)


PARTS: dict[str, Part] = {
    "m": _machine,
    "a": _jobs,
    "b": _submits,
    "c": _latency,
    "d": _planes,
    "e": _watchers,
    "f": _readers,
    "g": _held_snapshot,
    "h": _small_changes,
    "i": _tiny_pipelines,
    "j": _console,
    "k": _large_at_once,
    "l": _rows_of_types,
    "n": _lost_node,
}


def main(arguments: Sequence[str]) -> int:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all if left out")
    parser.add_argument("--short", action="store_true", help="small numbers, printed only")
    parser.add_argument("--no-row", action="store_true", help="print only")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.parts) - PARTS.keys():
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    postgres = str(find_binaries(os.environ).major)
    for name in chosen.parts or PARTS:
        began = time.monotonic()
        figures = uvloop.run(_measured(PARTS[name], chosen.short))
        for figure in figures:
            print(f"({name}) {figure.sentence()}", flush=True)
        print(f"({name}) took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if not chosen.short and not chosen.no_row:
            append_row(f"python -m benchmarks.run {name}", postgres, figures)
    return 0


async def _measured(part: Part, short: bool) -> Sequence[Figure]:
    return await part(short)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
