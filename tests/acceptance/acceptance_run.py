"""One run of the demo's flights through a running stack, and what must come out of it."""

import ast
import asyncio
import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.command.demo import YEAR, find_files, parts_of
from carbonline.command.jobs_of_files import submit_file
from carbonline.local.stack import Stack
from carbonline.v1 import types_pb2

FLIGHTS = find_files() / "flights.csv.gz"
RELATIVE = 1e-9
ENDS_SECONDS_MAX = 90

Moment = Callable[[types_pb2.Job], bool]


@dataclass(frozen=True)
class Expected:
    """What must come out of a file: kilograms by carrier and in all, and how many rows count."""

    kg: dict[str, float]
    accepted: int


@cache
def recomputed(file: Path) -> Expected:
    """By plain Python that imports nothing of the product."""
    program = find_files() / "check_total.py"
    run = subprocess.run(
        [sys.executable, str(program), str(file)], check=True, capture_output=True, text=True
    )
    kg = {unit: float(kg) for unit, kg in csv.reader(run.stdout.splitlines())}
    return Expected(kg, ast.literal_eval(run.stderr)["computed"])


def write_some_flights(target: Path, *, every: int = 100) -> Path:
    """One flight in so many. A hundredth is enough where a test breaks something at a place and
    not at a time.
    """
    with gzip.open(FLIGHTS, "rt") as flights, gzip.open(target, "wt") as some:
        some.writelines(line for number, line in enumerate(flights) if number % every == 0)
    return target


def reading(job: types_pb2.Job) -> bool:
    """In the middle of an ingest: rows are read, and not all of them."""
    return job.job_type == "csv_ingest" and 0 < job.progress.done < job.progress.total


def computing(job: types_pb2.Job) -> bool:
    """In the middle of a recalculation."""
    return job.job_type == "emission_recalc" and job.progress.phase == "compute"


@dataclass
class Watcher:
    """A client of a stack and a file of flights, and short words for what tests do with them."""

    client: ContractClient
    file: Path = FLIGHTS

    async def prepare(self) -> None:
        """Units, airports, factors."""
        for part in parts_of(find_files())[:-1]:
            view = await self.ended(await submit_file(self.client, part.job))
            assert view.pipeline is not None
            assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()

    async def repair_of(self, pipeline_id: int) -> int:
        """The repair pipeline of one that ended in doubt, as soon as there is one."""
        async with asyncio.timeout(ENDS_SECONDS_MAX):
            while True:
                listed = await self.client.list_pipelines()
                for pipeline in listed.pipelines:
                    if pipeline.repair_of == pipeline_id:
                        return pipeline.pipeline_id
                # Other pipelines' births are told to nobody.
                await asyncio.sleep(0.1)

    async def submit(self) -> int:
        """Submits the run's file of flights. Returns the pipeline's id."""
        return await submit_file(
            self.client, replace(parts_of(find_files())[-1].job, file=self.file)
        )

    async def until(self, pipeline_id: int, moment: Moment) -> types_pb2.Job:
        """The first job seen at a moment, as a watcher sees it. Fails if the pipeline ends."""
        view = PipelineView()
        async with asyncio.timeout(ENDS_SECONDS_MAX):
            async for event in self.client.watch(pipeline_id):
                view.apply(event)
                running = [j for j in view.in_order() if j.state == types_pb2.JOB_STATE_RUNNING]
                for job in filter(moment, running):
                    return job
        pytest.fail(f"the moment never came: {view.in_order()}")

    async def ended(self, pipeline_id: int) -> PipelineView:
        """The pipeline when it is terminal."""
        view = PipelineView()
        async with asyncio.timeout(ENDS_SECONDS_MAX):
            async for event in self.client.watch(pipeline_id):
                view.apply(event)
        return view

    async def must_have_totals(self) -> None:
        """Every carrier's total and their sum, as recomputed."""
        answer = await self.client.get_totals(YEAR)
        found = {one.unit: one.total_kg for one in answer.module_totals}
        found["total"] = answer.institution.total_kg
        expected = recomputed(self.file)
        assert found == pytest.approx(expected.kg, rel=RELATIVE)
        assert answer.institution.entry_count == expected.accepted

    async def everything_must_be_fresh(self) -> None:
        """No module's totals lag behind its data."""
        year = await self.client.get_year(YEAR)
        assert [m.fresh for m in year.modules] == [True], year.modules


@dataclass
class AcceptanceRun(Watcher):
    """A watcher that can also stop processes of the stack and read its tables and logs."""

    stack: Stack = field(kw_only=True)

    async def prepare_by(self, worker: str) -> None:
        """The same by one worker alone, so that a faulty one meets none of it; it stops then."""
        others = [n for n in self.stack.names if n.startswith("worker-") and n != worker]
        for other in others:
            await self.stack.stop(other)
        await self.prepare()
        await self.stack.stop(worker)
        for other in others:
            await self.stack.start(other)

    def holder(self, job: types_pb2.Job) -> str:
        """The name of the worker process that holds a job."""
        names = [name for name in self.stack.names if name.startswith("worker-")]
        return next(name for name in names if self.worker_id(name) == job.worker_id)

    def worker_id(self, name: str) -> str:
        """What the process of this name called itself when it last started."""
        started = self.log_lines(name, "worker_started")
        return str(started[-1]["worker_id"]) if started else ""

    def log_lines(self, name: str, event: str) -> Sequence[dict[str, Any]]:
        """The lines of an event in a process' log, oldest first."""
        # Of a line that is being written, a reader may find the beginning.
        text = self.stack.child(name).log_file.read_text("utf-8").rpartition("\n")[0]
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == event]

    async def must_have_arrived(self, view: PipelineView) -> None:
        """The same total as ever, no row twice, SUCCESS with warnings."""
        assert view.pipeline is not None
        said = [(job.job_type, job.message) for job in view.in_order()]
        assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, said
        assert view.pipeline.has_warnings
        await self.must_have_totals()
        await self.no_row_may_count_twice()
        await self.everything_must_be_fresh()

    async def no_row_may_count_twice(self) -> None:
        """Neither entries nor emissions."""
        for table in ("entry", "emission"):
            counted = await self.fetch_row(COUNTED[table])
            accepted = recomputed(self.file).accepted
            assert tuple(counted) == (accepted, accepted), table

    async def fetch_row(self, query: str, *arguments: Any) -> Any:
        """One row of the ledger's or the scheduler's tables."""
        connection = await asyncpg.connect(self.stack.addresses.database_url)
        try:
            return await connection.fetchrow(query, *arguments)
        finally:
            await connection.close()


COUNTED = {
    "entry": """
        SELECT count(*), count(DISTINCT e.row_number)
        FROM carbon.entries AS e JOIN carbon.entry_sets AS s USING (tenant, entry_set)
        WHERE s.state = 'PUBLISHED'""",
    "emission": """
        SELECT count(*), count(DISTINCT e.row_number)
        FROM carbon.emissions AS e
        JOIN carbon.emission_sets AS s USING (tenant, emission_set, entry_set)
        WHERE s.state = 'PUBLISHED'""",
}


def state_of(pid: int) -> str:
    """The kernel's letter for a process: R, S, T (stopped) ..."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
