"""`carbonline up` killed by kill -9 takes everything with it, and the next one goes on."""

import time
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from carbonline.local.stack_file import find_stack
from tests.acceptance.acceptance_run import Watcher, computing
from tests.acceptance.conftest import LEASE_SECONDS, OpenRun
from tests.acceptance.recovery import must_go_on
from tests.carbonline.local.processes import end_of, owned

OWNER = f"""
import asyncio, sys
from pathlib import Path
from carbonline.local.settings import StackSettings
from carbonline.local.stack import running_stack

async def main():
    settings = StackSettings(
        Path(sys.argv[1]), lease_seconds={LEASE_SECONDS}, beat_seconds=1.0, sweep_seconds=0.5
    )
    async with running_stack(settings) as stack:
        print(*(stack.pid(name) for name in stack.names), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_everything_killed_at_once_goes_on_when_it_is_started_again(
    open_run: OpenRun, tmp_path: Path
) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    async with owned(OWNER, folder) as (owner, pids):
        where = find_stack(folder)
        assert where is not None
        async with ContractClient(
            where.scheduler_address, where.ledger_address, tenant=where.tenant
        ) as client:
            watcher = Watcher(client)
            await watcher.prepare()
            pipeline = await watcher.submit()
            job = await watcher.until(pipeline, computing)
            owner.kill()
        for pid in pids:
            await end_of(pid)
    async with open_run(prepared=False) as run:
        # How long PostgreSQL takes to recover is a matter of the disk; from here on it is ours.
        restarted_at = time.time()
        await must_go_on(run, pipeline, job, restarted_at, lease_seconds=LEASE_SECONDS)
        await run.must_have_arrived(await run.ended(pipeline))
