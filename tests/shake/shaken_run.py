"""Two schedulers, four workers, two tenants, and a PostgreSQL of its own for the ledger."""

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from carbonline.local.postgres import EmbeddedPostgres
from carbonline.local.programs import Program, product_programs
from carbonline.local.settings import Addresses, StackSettings
from carbonline.local.stack import running_stack
from carbonline.migrations.run import upgrade
from tests.acceptance.acceptance_run import AcceptanceRun
from tests.acceptance.conftest import CONNECTION_SECONDS_MAX, LEASE_SECONDS
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


@asynccontextmanager
async def shaken_run(folder: Path) -> AsyncIterator[ShakenRun]:
    """A prepared stack, whose processes are started again when they end."""
    ledger_database = await EmbeddedPostgres.open(folder / "ledger-postgres")
    try:
        ledger_url = await ledger_database.create_database("ledger")
        await upgrade(ledger_url, "ledger")
        settings = _settings(folder, ledger_url)
        async with running_stack(settings, programs=_programs, migrate=_migrate) as stack:
            where = stack.addresses
            addresses = (where.scheduler_address, where.ledger_address)
            async with (
                ContractClient(*addresses, tenant=where.tenant) as client,
                ContractClient(*addresses, tenant=FLOOD) as flood,
            ):
                run = ShakenRun(
                    client,
                    stack=stack,
                    flood=flood,
                    ledger_database=ledger_database,
                    ledger_url=ledger_url,
                )
                await run.prepare()
                yield run
    finally:
        await ledger_database.close()


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


def _programs(settings: StackSettings, addresses: Addresses) -> Sequence[Program]:
    return [_shaken(program) for program in product_programs(settings, addresses)]


def _shaken(program: Program) -> Program:
    kind = program.name.partition("-")[0]
    script = (HERE / "shaken_worker.py",) if kind == "worker" else (HERE / "shaken_server.py", kind)
    return replace(program, command=(sys.executable, "-P", *map(str, script)))


async def _migrate(database_url: str) -> None:
    await upgrade(database_url, "scheduler")
