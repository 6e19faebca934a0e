"""Which workers people see, live ones first."""

from uuid import uuid4

import grpc
import grpc.aio
import pytest

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


def introduced(worker_id: str, not_ready: str, **worker: object) -> scheduler_pb2.HeartbeatRequest:
    """A heartbeat of a worker that has not claimed yet, and would run noop."""
    fields = {"job_types": ["noop"], "build_id": "new", "host": "h", **worker}
    introduction = scheduler_pb2.WorkerIntroduction(**fields)  # type: ignore[arg-type]
    return scheduler_pb2.HeartbeatRequest(
        worker_id=worker_id, not_ready=not_ready, introduction=introduction
    )


async def test_a_worker_that_starts_while_it_is_not_ready_is_listed_until_it_ends(
    client: Client,
) -> None:
    worker_id, reason = str(uuid4()), "ledger: connection refused"
    await client.scheduler.Heartbeat(introduced(worker_id, reason))
    (worker,) = (await client.operations.ListWorkers(operations_pb2.ListWorkersRequest())).workers
    assert (worker.worker_id, worker.not_ready) == (worker_id, reason)
    assert (list(worker.job_types), worker.build_id, worker.host) == (["noop"], "new", "h")
    assert worker.state == types_pb2.WORKER_STATE_NOT_READY
    last = scheduler_pb2.HeartbeatRequest(worker_id=worker_id, draining=True)
    await client.scheduler.Heartbeat(last)
    assert await states(client) == {}
    # One that was on its way does not bring it back.
    await client.scheduler.Heartbeat(introduced(worker_id, reason))
    assert await states(client) == {}


async def test_a_worker_that_was_never_ready_is_forgotten_a_day_later(client: Client) -> None:
    await client.scheduler.Heartbeat(introduced(str(uuid4()), "blobs: the disk is full"))
    for day, lists in ((1, 1), (2, 0)):
        clock = CLOCK_GOES_FORWARD.replace("1 minute", f"{day} days -1 hour")
        await client.server.store.pool.execute(clock)
        await client.server.store.forget_old()
        assert len(await states(client)) == lists


@pytest.mark.parametrize(
    ("heartbeat", "says"),
    [
        (introduced(str(uuid4()), ""), "introduction: goes with not_ready"),
        (introduced(str(uuid4()), "why", build_id=""), "introduction.build_id: is required"),
        (introduced(str(uuid4()), "why", job_types=[]), "introduction.job_types: "),
        (introduced(str(uuid4()), "why", job_types=["nop"]), "introduction.job_types[0]: must be"),
    ],
)
async def test_a_worker_that_says_half_of_what_it_is_is_refused(
    client: Client, heartbeat: scheduler_pb2.HeartbeatRequest, says: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Heartbeat(heartbeat)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert says in (refused.value.details() or "")
    assert await states(client) == {}
