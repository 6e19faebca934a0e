"""Two schedulers, four workers, two tenants, and a PostgreSQL of its own for the ledger; over TLS
with two ledger processes.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import asyncpg

from carbonline.client.contract_client import ContractClient
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.programs import Program, product_programs
from carbonline.local.settings import Addresses, StackSettings
from carbonline.local.stack import Stack, running_stack
from carbonline.migrations.run import upgrade
from tests.acceptance.acceptance_run import AcceptanceRun
from tests.acceptance.conftest import CONNECTION_SECONDS_MAX, LEASE_SECONDS
from tests.shake.network import Network, renewing_network
from tests.shake.shaken_server import FLOOD
from worker_service.worker import LEDGER_JOB_TYPES

HERE = Path(__file__).parent
# A job that kills its worker has neighbours.
CONCURRENCY = 3


@dataclass
class ShakenRun(AcceptanceRun):
    """A run with a second tenant, whose `client` is `flood`, and a ledger in its own database."""

    flood: ContractClient = field(kw_only=True)
    ledger_database: EmbeddedPostgres = field(kw_only=True)
    ledger_url: str = field(kw_only=True)
    network: Network | None = field(kw_only=True)

    @property
    def client_options(self) -> Sequence[str]:
        """With which the command line reaches the stack."""
        if self.network is None:
            return ("--data-folder", str(self.stack.addresses.data_folder))
        return self.network.client_options

    async def command(self, *words: str) -> tuple[int | None, str]:
        """Runs `carbonline` on the stack. Returns its exit code, and all that it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "carbonline.command.main", *words, *self.client_options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return process.returncode, said.decode()

    async def rows(self, query: str) -> Sequence[asyncpg.Record]:
        """Rows of the scheduler's tables."""
        connection = await asyncpg.connect(self.stack.addresses.database_url)
        try:
            return list(await connection.fetch(query))
        finally:
            await connection.close()


@asynccontextmanager
async def shaken_run(folder: Path, *, over_tls: bool) -> AsyncIterator[ShakenRun]:
    """A prepared stack, whose processes are started again when they end."""
    async with AsyncExitStack() as cleanup:
        ledger_database = await EmbeddedPostgres.open(folder / "ledger-postgres")
        cleanup.push_async_callback(ledger_database.close)
        ledger_url = await ledger_database.create_database("ledger")
        await upgrade(ledger_url, "ledger")
        network = None
        if over_tls:
            network = await cleanup.enter_async_context(renewing_network(folder / "network"))
        stack = await cleanup.enter_async_context(
            running_stack(
                _settings(folder, ledger_url),
                programs=partial(_programs, network),
                migrate=_migrate,
            )
        )
        client, flood = [
            await cleanup.enter_async_context(_client(stack, network, tenant))
            for tenant in (stack.addresses.tenant, FLOOD)
        ]
        run = ShakenRun(
            client,
            stack=stack,
            flood=flood,
            ledger_database=ledger_database,
            ledger_url=ledger_url,
            network=network,
        )
        await run.prepare()
        yield run


def _client(stack: Stack, network: Network | None, tenant: str) -> ContractClient:
    where = stack.addresses
    if network is None:
        return ContractClient(where.scheduler_address, where.ledger_address, tenant=tenant)
    return ContractClient(
        network.scheduler,
        network.ledger,
        tenant=tenant,
        token_file=network.token_file,
        tls=network.tls,
    )


def _settings(folder: Path, ledger_url: str) -> StackSettings:
    return StackSettings(
        data_folder=folder / "stack",
        schedulers=2,
        workers=4,
        concurrency=CONCURRENCY,
        lease_seconds=LEASE_SECONDS,
        beat_seconds=1.0,
        sweep_seconds=0.5,
        supervise=True,
        environment={
            "CARBONLINE_LEDGER_DATABASE_URL": ledger_url,
            "CARBONLINE_CONNECTION_SECONDS_MAX": CONNECTION_SECONDS_MAX,
            "CARBONLINE_NOOP": "1",
            "CARBONLINE_JOB_TYPES": ",".join((*LEDGER_JOB_TYPES, "noop")),
        },
    )


def _programs(
    network: Network | None, settings: StackSettings, addresses: Addresses
) -> Sequence[Program]:
    programs = [_shaken(program) for program in product_programs(settings, addresses)]
    if network is None:
        return programs
    (ledger,) = (program for program in programs if program.name == "ledger")
    return [network.placed(one) for one in (*programs, replace(ledger, name="ledger-2"))]


def _shaken(program: Program) -> Program:
    kind = program.name.partition("-")[0]
    script = (HERE / "shaken_worker.py",) if kind == "worker" else (HERE / "shaken_server.py", kind)
    return replace(program, command=(sys.executable, "-P", *map(str, script)))


async def _migrate(database_url: str) -> None:
    await upgrade(database_url, "scheduler")
