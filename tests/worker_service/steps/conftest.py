"""A scheduler and a worker in this process, on an own database: files in, totals out.

After each test the invariants of the ledger must hold, those of `VerifyLedger` too.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import structlog

from carbonline.client.channel import Credentials, open_channel
from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.v1 import types_pb2
from scheduler_service.jobs.job_type_keys import STATS
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.conftest import own_database, to_its_end
from tests.worker_service.ledger.invariants import broken_invariants
from tests.worker_service.ledger.verified import findings
from tests.worker_service.steps.first_attempts import try_once
from worker_service.blobs.store import BlobStore
from worker_service.ledger.blob_scopes import scopes_of_blob
from worker_service.ledger.pool import Ledger, open_ledger
from worker_service.ledger.totals import StoredTotals, TotalsReader
from worker_service.mechanics.drain import Drain
from worker_service.mechanics.lease_keeper import BeatTiming
from worker_service.mechanics.readiness import Needs, NoNeeds
from worker_service.mechanics.registry import Step, check_registry
from worker_service.mechanics.serve import Surroundings, WorkerLimits, serve_jobs
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity
from worker_service.steps.stores import Stores
from worker_service.worker import LEDGER_JOB_TYPES, steps_of

LOG = structlog.wrap_logger(
    structlog.PrintLogger(), wrapper_class=structlog.make_filtering_bound_logger(30)
)
WORKER_ID = "00000000-0000-4000-8000-00000000000a"
LEASE_SECONDS = 5.0
YEAR = 2024
TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE = types_pb2.DATA_ENTRY_TYPE_PLANE

UNITS = "unit_institutional_id,name\n0828,Institute of Physics\n0829,Institute of Law\n"
PLACES = "iata,latitude,longitude\nGVA,46.2381,6.1090\nCDG,49.0097,2.5479\nJFK,40.6413,-73.7781\n"
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "short,economy,0.2906,1.35,0,800\n"
    "long,economy,0.1902,1.35,800,\n"
)
HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,"
    "cabin_class,number_of_trips,kg_co2eq\n"
)
CDG = "0828,GVA,CDG,1,economy,1,"
JFK = "0829,GVA,JFK,3,economy,1,"
GVA_CDG_KM, GVA_JFK_KM = 407.5926178213096, 6201.0711290076315
GVA_CDG_KG = GVA_CDG_KM * 0.2906 * 1.35
GVA_JFK_KG = GVA_JFK_KM * 0.1902 * 1.35


def flights(*rows: str) -> str:
    """A plane file of rows like "0828,GVA,CDG,1,economy,1,"."""
    return HEADER + "".join(row + "\n" for row in rows)


@dataclass
class WorkerHarness:
    """A running scheduler and its workers: submits files, waits for their ends, reads totals."""

    client: ContractClient
    stores: Stores
    ledger: Ledger
    folder: Path
    steps: dict[str, Step] = field(default_factory=dict)
    needs: Needs = field(default_factory=NoNeeds)

    def blob(self, text: str | bytes) -> str:
        """Keeps a file; its reference."""
        with self.stores.blobs.begin("local", "file.csv") as upload:
            upload.write(text.encode() if isinstance(text, str) else text)
            return str(upload.keep().reference)

    async def submit(
        self,
        job_type: str,
        text: str | bytes | None,
        *,
        payload: Mapping[str, Any] = {},
        **scope: Any,
    ) -> int:
        """Submits a job over a file; the pipeline."""
        said = dict(payload)
        if text is not None:
            said["blob"] = self.blob(text)
        submitted = await self.client.submit(job_type, self.client.scope(**scope), said)
        return submitted.pipeline_id

    async def load_units(self, text: str | bytes = UNITS, year: int = YEAR) -> PipelineView:
        """Units of a year, and the year is provisioned."""
        return await self.ended(await self.submit("unit_sync", text, year=year))

    async def load_places(self, text: str | None = PLACES, **payload: object) -> PipelineView:
        """Airports; without a file what the payload says alone."""
        mode = {"transport_mode": "plane", **payload}
        pipeline = await self.submit(
            "reference_ingest", text, payload=mode, reference_kind="locations"
        )
        return await self.ended(pipeline)

    async def load_factors(
        self, text: str | None = FACTORS, year: int = YEAR, **payload: str
    ) -> PipelineView:
        """Factors of planes; without a file what the payload says alone."""
        scope = {"module": TRAVEL, "data_entry_type": PLANE, "year": year}
        return await self.ended(await self.submit("factor_ingest", text, payload=payload, **scope))

    async def submit_flights(
        self, text: str | bytes, *, source: str = "", take_away: str = "", **scope: Any
    ) -> int:
        """A file of flights on its way; the pipeline."""
        wanted = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR, **scope}
        given = {"source": source, "take_away": take_away}
        payload = {name: value for name, value in given.items() if value}
        return await self.submit("csv_ingest", text, payload=payload, **wanted)

    async def load_flights(self, text: str | bytes, **scope: Any) -> PipelineView:
        """A file of flights, to its end."""
        return await self.ended(await self.submit_flights(text, **scope))

    async def submit_and_end(self, text: str | bytes, **payload: str) -> PipelineView:
        """A year's flights with more in their payload than the file, to their end."""
        scope = {"module": TRAVEL, "data_entry_type": PLANE, "year": YEAR}
        return await self.ended(await self.submit("csv_ingest", text, payload=payload, **scope))

    async def ended(self, pipeline_id: int) -> PipelineView:
        """The pipeline when it is terminal."""
        view = PipelineView()
        async with asyncio.timeout(60):
            async for event in self.client.watch(pipeline_id):
                view.apply(event)
        for job in view.in_order():
            # Whatever a test does: ListJobTypes has told of it.
            assert job.stats.fields.keys() <= STATS[job.job_type].keys(), job.job_type
            for key, blob in job.stats.fields.items():
                if key.endswith("_blob") and blob.string_value:
                    assert job.scope.unit in await self.units_of(blob.string_value), key
        return view

    async def units_of(self, blob: str) -> list[str]:
        """Who may read a file: the units that it is noted for, and those of its uploads."""
        return [one["unit"] or "" for one in await scopes_of_blob(self.ledger, "local", blob)]

    async def recalculate(self, year: int = YEAR) -> PipelineView:
        """The emissions of planes, asked for by a person."""
        scope = self.client.scope(module=TRAVEL, data_entry_type=PLANE, year=year)
        submitted = await self.client.submit("emission_recalc", scope)
        return await self.ended(submitted.pipeline_id)

    async def totals(self, year: int = YEAR) -> dict[str, StoredTotals]:
        """Totals by unit."""
        found = await TotalsReader(self.ledger).read_totals("local", year, None, None)
        return {one.unit: one for one in found}

    async def kg(self, year: int = YEAR) -> dict[str, float]:
        """Kilograms by unit."""
        return {unit: float(one.total) for unit, one in (await self.totals(year)).items()}

    async def rows(self, query: str, *arguments: Any) -> Sequence[Any]:
        """What the tables say."""
        async with self.ledger.session() as conn:
            return await conn.fetch(query, *arguments)

    @asynccontextmanager
    async def working(self, *, number: int = 0) -> AsyncIterator[Drain]:
        """Runs one more worker; drains it at the end."""
        drain = Drain()
        async with open_channel(f"unix:{self.folder}/s", retries=False) as channel:
            identity = WorkerIdentity(WORKER_ID[:-1] + f"{number:x}", "build", "host")
            serving = asyncio.create_task(
                serve_jobs(
                    SchedulerClient(channel, identity, Credentials(None)),
                    check_registry(list(self.steps.items()), LEDGER_JOB_TYPES),
                    WorkerLimits(
                        lease_seconds=LEASE_SECONDS,
                        beat=BeatTiming(1.0, progress_seconds=0.2, phase_seconds=0.05),
                        drain_grace_seconds=5.0,
                    ),
                    drain,
                    LOG,
                    around=Surroundings(self.needs),
                )
            )
            try:
                yield drain
            finally:
                drain.request_once()
                assert (await serving).failure is None


@dataclass(frozen=True)
class Prepared:
    """A database with units, airports and factors, to which nobody is connected, and its files."""

    database: str
    blobs: Path


@pytest.fixture(scope="session")
def prepared(
    cluster: EmbeddedPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Prepared:
    """Loaded once per session by a scheduler and a worker; each test has a copy."""
    folder = tmp_path_factory.mktemp("prepared")
    url = to_its_end(cluster.create_database("prepared", migrated_template))
    to_its_end(_prepare(url, folder))
    return Prepared("prepared", folder / "blobs")


async def _prepare(url: str, folder: Path) -> None:
    async with _running_harness(url, folder) as harness, harness.working(number=15):
        await harness.load_units()
        await harness.load_places()
        await harness.load_factors()


@pytest.fixture
async def idle_harness(database_url: str, tmp_path: Path) -> AsyncIterator[WorkerHarness]:
    """Everything but a worker."""
    async with _running_harness(database_url, tmp_path) as harness:
        yield harness


@pytest.fixture
def prepared_url(cluster: EmbeddedPostgres, prepared: Prepared, tmp_path: Path) -> Iterator[str]:
    """An own copy of what is prepared; its files are in tmp_path."""
    shutil.copytree(prepared.blobs, tmp_path / "blobs")
    with own_database(cluster, prepared.database) as url:
        yield url


@pytest.fixture
async def harness(prepared_url: str, tmp_path: Path) -> AsyncIterator[WorkerHarness]:
    """With a worker, and units, airports and factors loaded."""
    async with _running_harness(prepared_url, tmp_path) as harness, harness.working():
        yield harness


@pytest.fixture
async def once_harness(prepared_url: str, tmp_path: Path) -> AsyncIterator[WorkerHarness]:
    """The same, but a job that raises has no second attempt."""
    async with _running_harness(prepared_url, tmp_path) as harness:
        try_once(harness.steps)
        async with harness.working():
            yield harness


@asynccontextmanager
async def _running_harness(database_url: str, folder: Path) -> AsyncIterator[WorkerHarness]:
    address = f"unix:{folder}/s"
    settings = Settings(
        database_url=database_url,
        address=address,
        lease_seconds=LEASE_SECONDS,
        beat_seconds=1.0,
        sweep_seconds=0.5,
        drain_grace_seconds=0.5,
    )
    async with contextlib.AsyncExitStack() as opened:
        await opened.enter_async_context(running_server(settings, LOG))
        ledger = await open_ledger(
            database_url, application_name="test", lease_seconds=LEASE_SECONDS, jobs_max=4
        )
        opened.push_async_callback(ledger.close)
        stores = Stores(ledger, BlobStore(folder / "blobs"))
        client = await opened.enter_async_context(ContractClient(address, address, tenant="local"))
        yield WorkerHarness(client, stores, ledger, folder, dict(steps_of(stores)))
        assert await broken_invariants(ledger) == {}
        assert await findings(ledger) == []
