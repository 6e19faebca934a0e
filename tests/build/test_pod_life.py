"""The life of the pods of deploy/kubernetes, with their own commands, variables, probes and grace:
they start, serve, are replaced under work, and are killed.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from carbonline.client.async_client import AsyncClient
from carbonline.client.reports import PipelineReport
from carbonline.serving.metrics_address import MetricsAddress
from carbonline.v1 import types_pb2
from tests.build.compose_file import PREFIX
from tests.build.test_deploy import PODS, container_of, environment_of
from tests.carbonline.serving.certificates import Authority
from tests.carbonline.serving.name_server import name_server
from tests.carbonline.serving.processes import process
from tests.carbonline.serving.test_metrics_port import got
from tests.carbonline.serving.token_issuer import AUDIENCE, NAME, TokenIssuer
from tests.ports import free_ports

pytestmark = pytest.mark.slow

SERVERS = ("scheduler", "ledger", "gateway")
# Of a service, and of its pods.
HOST, ADDRESSES = "carbonline.test", ("127.0.0.1", "127.0.0.2")
TRIPS_HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,number_of_trips,"
    "cabin_class,kg_co2eq\n"
)
# Enough that a worker is told to end while it reads them.
TRIPS = 300_000
SECONDS_MAX = 120.0


@dataclass
class Pod:
    """A container as a kubelet sees it."""

    name: str
    running: Process
    metrics: MetricsAddress

    async def code(self, probe: str) -> int:
        """What a probe is answered, 0 if it is not within its time."""
        wanted = container_of(self.name)[probe]
        assert wanted["httpGet"]["port"] == "metrics"
        try:
            async with asyncio.timeout(wanted["timeoutSeconds"]):
                code, _ = await got(self.metrics, wanted["httpGet"]["path"])
        except (OSError, TimeoutError):
            return 0
        return code

    async def until_ready(self) -> None:
        """Returns when it gets calls. A kubelet that probes it for so long does not start it anew,
        and finds it alive.
        """
        alive = container_of(self.name)["livenessProbe"]
        async with asyncio.timeout(alive["periodSeconds"] * alive["failureThreshold"]):
            while await self.code("readinessProbe") != 200:
                assert self.running.returncode is None, await self.running.communicate()
                await asyncio.sleep(0.05)
        assert await self.code("livenessProbe") == 200

    async def asked_to_end(self) -> None:
        """Returns when it gets no more calls. Nothing runs before the signal."""
        assert "lifecycle" not in container_of(self.name)
        self.running.send_signal(signal.SIGTERM)
        # A kubelet asks, too: nobody tells it.
        while await self.code("readinessProbe") == 200:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def ended(self) -> None:
        """Returns when it has ended well, before it would be killed."""
        grace = PODS[self.name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        async with asyncio.timeout(grace):
            _, said = await self.running.communicate()
        assert self.running.returncode == 0, said.decode()


@dataclass
class Cluster:
    """Starts pods, each with what its manifest gives it but for what is this machine's. `names` is
    a server of names: a headless service has one name for all pods.
    """

    folder: Path
    database_url: str
    stack: AsyncExitStack
    names: str

    def __post_init__(self) -> None:
        self.authority, self.issuer = Authority(self.folder), TokenIssuer(self.folder)
        self.tls = self.authority.server(host=HOST)
        first = free_ports(len(SERVERS))
        self.ports = {name: first + at for at, name in enumerate(SERVERS)}

    def address(self, name: str) -> str:
        """All pods of a server."""
        return f"dns://{self.names}/{HOST}:{self.ports[name]}"

    def client(self) -> AsyncClient:
        return AsyncClient(
            self.address("scheduler"),
            self.address("ledger"),
            token_file=self.token("ann", "gateway"),
            tls=self.authority.client(),
        )

    def token(self, name: str, role: str) -> Path:
        path = self.folder / f"{name}.token"
        path.write_text(self.issuer.token(sub=name, role=role))
        return path

    async def migrate(self) -> None:
        """The job that precedes an update."""
        pod = await self._started("migrate", {"DATABASE_URL": self.database_url})
        async with asyncio.timeout(SECONDS_MAX):
            _, said = await pod.running.communicate()
        assert pod.running.returncode == 0, said.decode()

    async def start(self, name: str, number: int = 0) -> Pod:
        """A pod of a deployment, when it is ready."""
        here = {
            "METRICS_PORT": str(free_ports(1)),
            "SCHEDULER_ADDRESS": self.address("scheduler"),
            "LEDGER_ADDRESS": self.address("ledger"),
            "DATABASE_URL": self.database_url,
            "LEDGER_DATABASE_URL": self.database_url,
            "BLOB_FOLDER": str(self.folder / "blobs"),
            "TLS_CERT_FILE": str(self.tls.certificate),
            "TLS_KEY_FILE": str(self.tls.key),
            "TLS_CA": str(self.authority.ca),
            "TOKEN_FILE": str(self.token("worker", "worker")),
            "JWT_KEYS": str(self.issuer.jwks),
            "JWT_ISSUER": NAME,
            "JWT_AUDIENCE": AUDIENCE,
        }
        if name in SERVERS:
            here[f"{name.upper()}_ADDRESS"] = f"{ADDRESSES[number]}:{self.ports[name]}"
        pod = await self._started(name, here)
        await pod.until_ready()
        return pod

    async def _started(self, name: str, here: dict[str, str]) -> Pod:
        given = {one.removeprefix(PREFIX): value for one, value in environment_of(name).items()}
        given |= {one: value for one, value in here.items() if one in given}
        program, *arguments = container_of(name)["args"]
        file = Path(sys.executable).parent / program
        running = await self.stack.enter_async_context(process(*arguments, program=file, **given))
        return Pod(name, running, MetricsAddress(int(given.get("METRICS_PORT", 0))))


@pytest.fixture
async def cluster(empty_database_url: str, tmp_path: Path) -> AsyncIterator[Cluster]:
    """With units and a large file, on a database that its own job has migrated."""
    (tmp_path / "units.csv").write_text("unit_institutional_id,name\nU1,Physics\n")
    rows = "".join(f"U1,GVA,CDG,{number},1,economy,1\n" for number in range(TRIPS))
    (tmp_path / "trips.csv").write_text(TRIPS_HEADER + rows)
    async with AsyncExitStack() as stack:
        names = await stack.enter_async_context(name_server({HOST: ADDRESSES}))
        cluster = Cluster(tmp_path, empty_database_url, stack, names)
        await cluster.migrate()
        yield cluster


async def file_at_work(client: AsyncClient, folder: Path) -> tuple[int, "asyncio.Task[Any]"]:
    """Submits the large file. Its pipeline, and what waits for the end, once a worker has it."""
    (await client.load_units(folder / "units.csv", year=2024)).raise_for_status()
    begun: asyncio.Queue[int] = asyncio.Queue()

    def look(report: PipelineReport) -> None:
        if any(job.state == "running" for job in report.jobs):
            begun.put_nowait(report.pipeline_id)

    work = client.submit_file(folder / "trips.csv", "plane", year=2024, progress=look)
    done = asyncio.ensure_future(work)
    pipeline_id = await begun.get()
    assert not done.done()
    return pipeline_id, done


async def attempts_of(client: AsyncClient, pipeline_id: int) -> int:
    """How often the file was begun to be read; it counts once."""
    totals = await client.contract.get_totals(2024)
    assert totals.institution.total_kg == TRIPS
    jobs = (await client.contract.get_pipeline(pipeline_id)).jobs
    (ingest,) = (job for job in jobs if job.job_type == "csv_ingest")
    assert ingest.result == types_pb2.JOB_RESULT_SUCCESS
    return ingest.attempts


async def test_pods_are_replaced_under_work_and_nothing_of_it_is_lost(cluster: Cluster) -> None:
    old = {name: await cluster.start(name) for name in (*SERVERS, "worker")}
    async with asyncio.timeout(SECONDS_MAX), cluster.client() as client:
        go_on, has_begun = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"a file that is"
            await go_on.wait()
            yield b" sent slowly"

        upload = client.contract.upload_blob(
            slowly(), client.contract.scope(), "slow.txt", lambda _: has_begun.set()
        )
        uploading = asyncio.ensure_future(upload)
        await has_begun.wait()
        pipeline_id, done = await file_at_work(client, cluster.folder)
        # Old ones go when new ones are ready: `maxUnavailable` is 0.
        for name in old:
            await cluster.start(name, 1)
        for pod in old.values():
            await pod.asked_to_end()
        # It has no more callers than those that it serves to their end.
        ledger = old["ledger"]
        codes = [await ledger.code(probe) for probe in ("readinessProbe", "livenessProbe")]
        assert codes == [503, 200]
        go_on.set()
        assert (await uploading).size_bytes == len(b"a file that is sent slowly")
        await asyncio.gather(*(pod.ended() for pod in old.values()))
        (await done).raise_for_status()
        assert await attempts_of(client, pipeline_id) == 1


async def test_what_killed_pods_held_is_done_by_others(cluster: Cluster) -> None:
    first = {name: await cluster.start(name) for name in ("scheduler", "ledger", "worker")}
    await cluster.start("scheduler", 1)
    lease = float(environment_of("worker")[f"{PREFIX}LEASE_SECONDS"])
    async with asyncio.timeout(SECONDS_MAX + lease), cluster.client() as client:
        pipeline_id, done = await file_at_work(client, cluster.folder)
        for name in ("scheduler", "worker"):
            first[name].running.kill()
        # As a deployment does in place of what has ended.
        await cluster.start("worker")
        (await done).raise_for_status()
        assert await attempts_of(client, pipeline_id) == 2
