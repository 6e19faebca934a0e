"""DrainWorker: a worker that is told to end gets nothing more, from any scheduler."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.serving.logs import open_log
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2, scheduler_pb2_grpc, types_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

OTHER = (("authorization", "Bearer other"),)
DRAIN = scheduler_pb2.WORKER_DIRECTIVE_DRAIN
SECONDS = 10.0


def bearer(caller: str) -> tuple[tuple[str, str]]:
    return (("authorization", f"Bearer {caller}"),)


def claim(worker_id: str, wait_seconds: int = 0) -> scheduler_pb2.ClaimRequest:
    request = scheduler_pb2.ClaimRequest(
        worker_id=worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    request.wait.seconds = wait_seconds
    return request


async def workers(client: Client) -> list[types_pb2.Worker]:
    return list((await client.operations.ListWorkers(ops.ListWorkersRequest())).workers)


async def drain(
    client: Client, worker_id: str, reason: str = "", **call: Any
) -> types_pb2.WorkerDrain:
    request = pb.DrainWorkerRequest(worker_id=worker_id, reason=reason)
    answer: pb.DrainWorkerResponse = await client.operations.DrainWorker(request, **call)
    return answer.drain


async def refusal(client: Client, worker_id: str, **call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await drain(client, worker_id, **call)
    error = server_error(refused.value)
    return error.code, error.reason


async def test_a_drained_worker_finishes_what_it_has_gets_nothing_more_and_is_forgotten(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    await client.submit("noop", types_pb2.Scope())
    (job,) = await client.claim("noop")
    # Hints of other schedulers may come late; what a Claim is given must not hang on them.
    another = replace(settings, address=f"unix:{tmp_path}/b", poll_seconds=60.0)
    async with (
        running_server(another, open_log("error"), ByTenantToken()),
        grpc.aio.insecure_channel(another.address) as channel,
    ):
        elsewhere: Any = scheduler_pb2_grpc.SchedulerServiceStub(channel)
        parked = asyncio.ensure_future(elsewhere.Claim(claim(client.worker_id, 20)))
        assert not (await elsewhere.Claim(claim(client.worker_id))).directive
        told = await drain(client, client.worker_id, "its disk is replaced")
        assert (told.asked_by, told.reason) == ("local", "its disk is replaced")
        async with asyncio.timeout(SECONDS):
            answer = await parked
        assert (list(answer.jobs), answer.directive) == ([], DRAIN)
        for _ in range(2):
            await client.submit("noop", types_pb2.Scope())
        for scheduler in (client.scheduler, elsewhere):
            answer = await scheduler.Claim(claim(client.worker_id, 20))
            assert (list(answer.jobs), answer.directive) == ([], DRAIN)
            answer = await scheduler.Claim(claim(str(uuid4())))
            assert (len(answer.jobs), answer.directive) == (1, 0)
            beat = scheduler_pb2.ClaimBeat(job_id=job.job.job_id, claim_token=job.claim_token)
            answer = await scheduler.Heartbeat(
                scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])
            )
            assert answer.directive == DRAIN
            assert answer.answers[0].directive == scheduler_pb2.CLAIM_DIRECTIVE_CONTINUE
    [shown] = [one for one in await workers(client) if one.worker_id == client.worker_id]
    assert shown.state == types_pb2.WORKER_STATE_DRAINING
    assert (shown.drain, [held.job_id for held in shown.held]) == (told, [job.job.job_id])
    # Who tells it again changes nothing.
    assert await drain(client, client.worker_id, "another reason") == told
    assert (await client.finish(job)).finished
    last = scheduler_pb2.HeartbeatRequest(worker_id=client.worker_id, draining=True)
    await client.scheduler.Heartbeat(last)
    assert client.worker_id not in {one.worker_id for one in await workers(client)}
    assert await refusal(client, client.worker_id) == ("NOT_FOUND", "WORKER_NOT_FOUND")


async def test_who_serves_another_tenant_or_is_unknown_is_not_drained(client: Client) -> None:
    await client.scheduler.Claim(claim(client.worker_id))
    another = await refusal(client, client.worker_id, metadata=OTHER)
    assert another == ("PERMISSION_DENIED", "OTHER_TENANT")
    assert await refusal(client, str(uuid4())) == ("NOT_FOUND", "WORKER_NOT_FOUND")
    assert await refusal(client, "worker-1") == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert not (await client.scheduler.Claim(claim(client.worker_id))).directive
    [shown] = await workers(client)
    assert (shown.state, shown.HasField("drain")) == (types_pb2.WORKER_STATE_LIVE, False)


async def test_a_worker_of_several_tenants_is_drained_by_who_may_act_for_all_of_them(
    client: Client,
) -> None:
    await client.scheduler.Claim(claim(client.worker_id), metadata=bearer("local+other"))
    for caller in ("other", "local", "other+third"):
        refused = await refusal(client, client.worker_id, metadata=bearer(caller))
        assert refused == ("PERMISSION_DENIED", "OTHER_TENANT"), caller
    told = await drain(client, client.worker_id, metadata=bearer("third+other+local"))
    assert told.asked_by == "third+other+local"
