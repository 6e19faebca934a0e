"""Which workers people see, live ones first."""

from uuid import uuid4

from carbonline.v1 import operations_pb2, scheduler_pb2, types_pb2
from tests.scheduler_service.rpc.conftest import Client

CLOCK_GOES_FORWARD = """
CREATE OR REPLACE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT statement_timestamp() + interval '1 minute' $$
"""


async def new_worker(client: Client, *, draining: bool = False) -> str:
    """A worker that gives a sign of life now; its id."""
    worker_id = str(uuid4())
    claim = scheduler_pb2.ClaimRequest(
        worker_id=worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    held = (await client.scheduler.Claim(claim)).jobs
    if draining:
        beats = [
            scheduler_pb2.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)
            for job in held
        ]
        beat = scheduler_pb2.HeartbeatRequest(worker_id=worker_id, beats=beats, draining=True)
        await client.scheduler.Heartbeat(beat)
    return worker_id


async def report_not_ready(client: Client, worker_id: str, not_ready: str) -> None:
    """A heartbeat without claims, with the reason why the worker is not ready."""
    beat = scheduler_pb2.HeartbeatRequest(worker_id=worker_id, not_ready=not_ready)
    await client.scheduler.Heartbeat(beat)


async def states(client: Client) -> dict[str, str]:
    """Workers in the order of the answer, with their states."""
    answer = await client.operations.ListWorkers(operations_pb2.ListWorkersRequest())
    return {
        worker.worker_id: types_pb2.WorkerState.Name(worker.state).removeprefix("WORKER_STATE_")
        for worker in answer.workers
    }


async def test_live_workers_come_first_and_lost_ones_last(client: Client) -> None:
    lost = await new_worker(client)
    await client.server.store.pool.execute(CLOCK_GOES_FORWARD)
    await client.submit("noop", types_pb2.Scope())
    draining = await new_worker(client, draining=True)
    live, unready = await new_worker(client), await new_worker(client)
    await report_not_ready(client, unready, "ledger: connection refused")

    found = await states(client)
    assert list(found.items()) == [
        (live, "LIVE"),
        (unready, "NOT_READY"),
        (draining, "DRAINING"),
        (lost, "LOST"),
    ]


async def test_a_worker_says_why_it_is_not_ready_until_it_is(client: Client) -> None:
    worker_id = await new_worker(client)
    for reason, state in (("ledger: connection refused", "NOT_READY"), ("", "LIVE")):
        await report_not_ready(client, worker_id, reason)
        (worker,) = (
            await client.operations.ListWorkers(operations_pb2.ListWorkersRequest())
        ).workers
        assert worker.not_ready == reason
        assert await states(client) == {worker_id: state}
