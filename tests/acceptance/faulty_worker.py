"""A worker process that stops or dies at one exact place of its work, once.

`python faulty_worker.py PLACE ACTION MARKER JOB_TYPE`: the product's worker, with one function
wrapped. PLACE is while_reading (entries of a file, of whose first rows none is written yet),
before_publication, inside_publication, or after_commit, or a file that names it; ACTION is stop
(SIGSTOP, until somebody sends SIGCONT), kill (SIGKILL), or stop_deaf: stopped, and with a lease
that never ends in its own eyes, so that nothing but the data can refuse it. It happens to the first
job of JOB_TYPE (upload_or_factors: of any that changes entries or factors), and MARKER is a file
that says that it has happened.
"""

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import polars as pl

from worker_service.__main__ import main
from worker_service.carbon import stored
from worker_service.carbon.declarations import DataEntryType
from worker_service.ledger import fences
from worker_service.ledger.fences import Publication
from worker_service.ledger.pool import Connection, Ledger
from worker_service.mechanics.lease_keeper import LeaseKeeper
from worker_service.mechanics.live_run import LiveRun
from worker_service.steps import entry_files, publishing

SIGNALS = {"stop": signal.SIGSTOP, "stop_deaf": signal.SIGSTOP, "kill": signal.SIGKILL}
SCOPES = {
    "csv_ingest": ("entries/",),
    "emission_recalc": ("emissions/",),
    "aggregation": ("totals/",),
    "upload_or_factors": ("entries/", "factors/"),
}


def break_at(place: str, action: str, marker: Path, job_type: str) -> None:
    """Wraps the publication, and what is done with rows as they are read."""
    real, read = fences.publication, stored.stored_entries

    def happen_once(here: str) -> None:
        if here == place and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), SIGNALS[action])

    def happen(here: str, wanted: Publication) -> None:
        if any(scope.startswith(SCOPES[job_type]) for scope in wanted.ledger_scopes):
            happen_once(here)

    def stored_entries(declaration: DataEntryType, accepted: pl.DataFrame) -> pl.DataFrame:
        happen_once("while_reading")
        return read(declaration, accepted)

    @asynccontextmanager
    async def publication(ledger: Ledger, wanted: Publication) -> AsyncIterator[Connection]:
        happen("before_publication", wanted)
        async with real(ledger, wanted) as conn:
            yield conn
            happen("inside_publication", wanted)
        happen("after_commit", wanted)

    publishing.publication = publication  # type: ignore[attr-defined]
    entry_files.stored_entries = stored_entries  # type: ignore[attr-defined]


def make_deaf() -> None:
    """Whatever its clock and the scheduler say, the worker goes on."""
    deaf_ways = {"check": lambda _run: None, "deadline_seconds": lambda _run: 3600.0}
    for name, deaf in deaf_ways.items():
        setattr(LiveRun, name, deaf)
    setattr(LeaseKeeper, "stop", lambda *_: None)  # noqa: B010  mypy sees no attribute in a method


if __name__ == "__main__":
    place, action, marker, job_type = sys.argv[1:]
    if action == "stop_deaf":
        make_deaf()
    if Path(place).exists():
        place = Path(place).read_text()
    break_at(place, action, Path(marker), job_type)
    sys.exit(main([]))
