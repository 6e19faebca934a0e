"""PauseJobType and ResumeJobType as an operator calls them."""

import asyncio

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import interventions_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.rpc.test_recover_job import typed

OTHER = (("authorization", "Bearer other"),)


async def test_a_claim_that_waits_gets_a_job_as_soon_as_its_type_is_resumed(
    client: Client,
) -> None:
    await client.operations.PauseJobType(pb.PauseJobTypeRequest(job_type="noop", reason="why"))
    await client.submit("noop", types_pb2.Scope())
    assert await client.claim("noop") == []
    waiting = asyncio.create_task(client.claim("noop", wait_seconds=20))
    answer = await client.operations.ResumeJobType(pb.ResumeJobTypeRequest(job_type="noop"))
    assert [(pause.reason, pause.resumed_by) for pause in answer.pauses] == [("why", "local")]
    async with asyncio.timeout(10):
        assert len(await waiting) == 1


async def test_pauses_are_listed_with_who_when_and_why(client: Client) -> None:
    request = pb.PauseJobTypeRequest(job_type="noop", reason="why")
    (pause,) = (await client.operations.PauseJobType(request)).pauses
    assert (pause.tenant, pause.job_type, pause.paused_by) == ("local", "noop", "local")
    assert pause.paused_at.seconds > 0
    assert not pause.HasField("resumed_at")
    listed = await client.operations.ListJobTypePauses(pb.ListJobTypePausesRequest())
    assert list(listed.pauses) == [pause]
    await client.operations.ResumeJobType(pb.ResumeJobTypeRequest(job_type="noop"))
    listed = await client.operations.ListJobTypePauses(pb.ListJobTypePausesRequest())
    assert list(listed.pauses) == []
    wanted = pb.ListJobTypePausesRequest(include_resumed=True)
    (over,) = (await client.operations.ListJobTypePauses(wanted)).pauses
    assert (over.reason, over.resumed_by) == ("why", "local")


async def test_nobody_pauses_or_sees_the_types_of_another_tenant(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.PauseJobType(
            pb.PauseJobTypeRequest(tenant="local", job_type="noop"), metadata=OTHER
        )
    assert server_error(refused.value).reason == "OTHER_TENANT"
    await client.operations.PauseJobType(pb.PauseJobTypeRequest(job_type="noop"))
    wanted = pb.ListJobTypePausesRequest()
    listed = await client.operations.ListJobTypePauses(wanted, metadata=OTHER)
    assert list(listed.pauses) == []
    # All tenants are the caller's, and no other's.
    resumed = await client.operations.ResumeJobType(
        pb.ResumeJobTypeRequest(job_type="noop", all_tenants=True), metadata=OTHER
    )
    assert list(resumed.pauses) == []
    listed = await client.operations.ListJobTypePauses(pb.ListJobTypePausesRequest())
    assert len(listed.pauses) == 1


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.PauseJobTypeRequest(), "job_type"),
        (pb.PauseJobTypeRequest(job_type="mail"), "job_type"),
        (pb.PauseJobTypeRequest(job_type="noop", reason="x" * 513), "reason"),
        (pb.PauseJobTypeRequest(job_type="noop", reason="\0"), "reason"),
        (pb.PauseJobTypeRequest(job_type="noop", tenant="local", all_tenants=True), "tenant"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: Client, request_: pb.PauseJobTypeRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.operations.PauseJobType(request_)
    assert list(server_error(refused.value).fields) == [field]


@pytest.mark.parametrize("what", ["pause noop", "lock 2024", "drain"])
async def test_a_reason_that_is_not_recorded_is_told(
    client: Client, settings: Settings, what: str
) -> None:
    await client.provision(2024)
    words = [*what.split(), *([client.worker_id] if what == "drain" else [])]
    for reason, is_told in (("first", False), ("first", False), ("second", True), ("", False)):
        code, said = await typed(settings, *words, "--reason", reason)
        assert (code, ": first" in said) == (0, True), said
        assert ("so your reason was not recorded" in said.replace("\n", " ")) is is_told, said
