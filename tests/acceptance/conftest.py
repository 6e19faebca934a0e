"""A stack of the product's own processes, ready for flights: two schedulers, whose connections
never last, and a lease of five seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.local.settings import StackSettings
from carbonline.local.stack import running_stack
from tests.acceptance.acceptance_run import FLIGHTS, AcceptanceRun
from tests.initialised_folder import initialise
from tests.warm_services import fork_services

LEASE_SECONDS = 5.0
# So short that connections are closed in the middle of every test.
CONNECTION_SECONDS_MAX = "2"

OpenRun: TypeAlias = Callable[..., AbstractAsyncContextManager[AcceptanceRun]]


@pytest.fixture
def open_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenRun:
    """Starts a stack on a folder of its own; `settings` change its defaults."""
    fork_services(monkeypatch)

    @asynccontextmanager
    async def opened(
        *, prepared: bool = True, file: Path = FLIGHTS, **settings: Any
    ) -> AsyncIterator[AcceptanceRun]:
        stack_options = {key: settings.pop(key) for key in ("programs",) if key in settings}
        wanted = {
            "data_folder": tmp_path / "stack",
            "lease_seconds": LEASE_SECONDS,
            "beat_seconds": 1.0,
            "sweep_seconds": 0.5,
            "supervise": True,
            "schedulers": 2,
            "environment": {"CARBONLINE_CONNECTION_SECONDS_MAX": CONNECTION_SECONDS_MAX},
            **settings,
        }
        await asyncio.to_thread(initialise, wanted["data_folder"])
        async with running_stack(StackSettings(**wanted), **stack_options) as stack:
            where = stack.addresses
            client = ContractClient(
                where.scheduler_address,
                where.ledger_address,
                tenant=where.tenant,
                token_file=where.token_file,
            )
            async with client:
                run = AcceptanceRun(client, file, stack=stack)
                if prepared:
                    await run.prepare()
                yield run

    return opened


@pytest.fixture
async def run(open_run: OpenRun) -> AsyncIterator[AcceptanceRun]:
    """A prepared stack of two schedulers and two workers, all started again when they end."""
    async with open_run() as opened:
        yield opened
