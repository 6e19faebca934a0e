"""What is too large, or nested too deeply, harms nobody; who sent it splits it, and no more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.client.channel import MESSAGE_BYTES_MAX, Credentials
from carbonline.client.contract_client import ContractClient as PersonsClient
from carbonline.client.errors import ServerError, server_error
from carbonline.client.json_struct import struct_of
from carbonline.client.no_answer import Server
from carbonline.client.watch import watch_events
from carbonline.serving import pages
from carbonline.serving.field_checker import JSON_DEPTH_MAX
from carbonline.serving.logs import open_log
from carbonline.serving.request_sizes import request_bytes_max
from carbonline.v1 import operations_pb2 as ops
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from carbonline.v1.scheduler_pb2_grpc import SchedulerServiceStub
from tests.carbonline.serving.oversized import must_be_bounded
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.rpc.test_odd_requests import GOOD, METHODS
from worker_service.mechanics.gathered import Gathered
from worker_service.mechanics.outcome import Written
from worker_service.mechanics.scheduler import (
    ChildRequest,
    Finish,
    FinishAnswer,
    FinishResult,
    SchedulerRefused,
)
from worker_service.scheduler_client.client import SchedulerClient
from worker_service.scheduler_client.identity import WorkerIdentity

SMALL_BYTES = 100_000
# Levels of a Struct: a decoder gives up at a hundred, and each takes three.
TOO_DEEP = 50
CHILDREN = 80
BATCH_SUBMIT = "/carbonline.v1.SchedulerService/BatchSubmit"


def noop(**payload: Any) -> pb.SubmitRequest:
    return pb.SubmitRequest(
        request_id=str(uuid4()), job_type="noop", payload=struct_of(payload), priority=3
    )


async def jobs_made(client: Client) -> int:
    made: int = await client.server.store.pool.fetchval("SELECT count(*) FROM scheduler.jobs")
    return made


async def refused(call: Any) -> ServerError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return server_error(raised.value)


async def test_a_batch_over_the_limit_is_refused_whole_and_taken_in_parts(client: Client) -> None:
    # Each is too large for an answer of its own, too: it is the whole that is not read.
    requests = [noop(x="y" * (1 << 20)) for _ in range(17)] + [noop() for _ in range(3)]
    batch = client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=requests))
    neighbour = client.scheduler.Submit(noop())
    error = await refused(batch)
    assert (error.code, error.reason, error.too_large) == ("RESOURCE_EXHAUSTED", "", True)
    assert f"{MESSAGE_BYTES_MAX}" in error.message
    assert (await neighbour).job_id
    assert await jobs_made(client) == 1
    answers = [
        await client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=part))
        for part in (requests[:10], requests[10:])
    ]
    results = [one for answer in answers for one in answer.results]
    assert [one.error.reason for one in results] == ["TOO_LARGE"] * 17 + [""] * 3
    assert await jobs_made(client) == 4


BOUNDED = [name for name in sorted(METHODS) if request_bytes_max(METHODS[name]) < MESSAGE_BYTES_MAX]


async def test_a_request_beyond_its_bound_is_refused_before_it_is_read(client: Client) -> None:
    for method in BOUNDED:
        request = GOOD[method][0].SerializeToString()
        await must_be_bounded(client.channel, METHODS[method], request)


def test_batches_and_what_runs_jobs_may_be_large() -> None:
    large = {name for name in METHODS if name not in BOUNDED}
    assert large == {"BatchSubmit", "BatchFinish", "Chain", "Heartbeat", "Release"}


async def test_a_strangers_health_check_is_bounded(client: Client) -> None:
    check = "/grpc.health.v1.Health/Check"
    await must_be_bounded(client.channel, check, b"")


def nested(levels: int) -> dict[str, Any]:
    return {"k": nested(levels - 1) if levels else 0}


def as_one_more(item: pb.SubmitRequest) -> bytes:
    """An item as the bytes of a batch of one: no library puts so deep a one into a batch."""
    data = item.SerializeToString()
    assert 1 << 7 <= len(data) < 1 << 14
    return bytes([0x0A, len(data) & 0x7F | 0x80, len(data) >> 7]) + data


async def test_an_item_nested_too_deeply_leaves_nothing_of_its_batch_and_no_mark_elsewhere(
    client: Client,
) -> None:
    deep = noop()
    value = deep.payload.fields["k"]
    for _ in range(TOO_DEEP):
        value = value.struct_value.fields["k"]
    batch = pb.BatchSubmitRequest(requests=[noop(), noop()])
    neighbours = [client.scheduler.Submit(noop()) for _ in range(3)]
    with_deep_one = batch.SerializeToString() + as_one_more(deep)
    error = await refused(client.send_bytes(BATCH_SUBMIT, with_deep_one))
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "FIELD_INVALID")
    assert "nested too deeply" in error.message
    assert all(answer.job_id for answer in await asyncio.gather(*neighbours))
    assert await jobs_made(client) == 3
    # One that can be read is refused alone.
    batch.requests.append(noop(**nested(JSON_DEPTH_MAX)))
    answer = await client.scheduler.BatchSubmit(batch)
    assert [one.error.reason for one in answer.results] == ["", "", "FIELD_INVALID"]


async def test_a_persons_client_says_at_once_that_a_message_is_too_large(
    client: Client, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path}/s"
    async with asyncio.timeout(10), PersonsClient(address, address) as person:
        with pytest.raises(ServerError, match="larger than max") as raised:
            await person.submit("noop", types_pb2.Scope(), {"x": "y" * MESSAGE_BYTES_MAX})
    assert raised.value.too_large
    assert not raised.value.unreachable


@pytest.fixture
async def narrow(client: Client, tmp_path: Path) -> AsyncIterator[grpc.aio.Channel]:
    """A channel that neither sends nor takes more than SMALL_BYTES, to the client's server."""
    options = [
        ("grpc.max_send_message_length", SMALL_BYTES),
        ("grpc.max_receive_message_length", SMALL_BYTES),
    ]
    async with grpc.aio.insecure_channel(f"unix:{tmp_path}/s", options=options) as channel:
        yield channel


async def test_a_worker_splits_ends_that_are_too_large_together(
    client: Client, narrow: grpc.aio.Channel
) -> None:
    jobs = await held_jobs(client, 12)
    scheduler = SchedulerClient(
        narrow, WorkerIdentity(client.worker_id, "b", "h"), Credentials(None)
    )
    finishes = Gathered(scheduler.finish, 500, open_log("error"))
    async with asyncio.timeout(20):
        answers = await asyncio.gather(
            *(finishes.ask(finish(job, x="y" * (SMALL_BYTES // 5)), lambda: True) for job in jobs)
        )
    assert answers == [FinishAnswer.APPLIED] * len(jobs)


async def test_a_worker_hears_that_children_are_too_large_instead_of_trying_for_ever(
    client: Client, narrow: grpc.aio.Channel
) -> None:
    (job,) = await held_jobs(client, 1)
    scheduler = SchedulerClient(
        narrow, WorkerIdentity(client.worker_id, "b", "h"), Credentials(None)
    )
    children = [ChildRequest(f"{n}", "noop", payload={"x": "y" * 10_000}) for n in range(20)]
    with pytest.raises(SchedulerRefused, match="larger than max"):
        await scheduler.chain(job.job.job_id, job.claim_token, children)


async def test_a_watch_whose_first_message_is_too_large_ends_with_it(
    client: Client, narrow: grpc.aio.Channel
) -> None:
    for job in await held_jobs(client, 1):
        ending = client.ending(job)
        ending.stats.CopyFrom(struct_of({"x": [0] * (SMALL_BYTES // 10)}))
        await client.scheduler.Finish(ending)
    stub = SchedulerServiceStub(narrow)
    request = pb.WatchPipelineRequest(pipeline_id=job.job.pipeline_id)
    server = Server("scheduler", "here")
    events = watch_events(
        lambda _version, _position: aiter(stub.WatchPipeline(request)), server, 0, 60.0
    )
    async with asyncio.timeout(10):
        with pytest.raises(ServerError, match="larger than max"):
            await anext(events)


async def held_jobs(client: Client, count: int) -> list[pb.ClaimedJob]:
    requests = [noop() for _ in range(count)]
    await client.scheduler.BatchSubmit(pb.BatchSubmitRequest(requests=requests))
    return await client.claim("noop", max_jobs=count)


def finish(job: pb.ClaimedJob, **stats: Any) -> Finish:
    return Finish(
        job_id=job.job.job_id,
        claim_token=job.claim_token,
        result=FinishResult.SUCCESS,
        message="",
        error_cause="",
        stats=stats,
        written=Written.UNKNOWN,
    )


async def test_large_answers_come_in_more_pages(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = await held_jobs(client, 8)
    for job in jobs:
        ending = client.ending(job)
        ending.stats.CopyFrom(struct_of({"x": "y" * 1_000}))
        await client.scheduler.Finish(ending)
    monkeypatch.setattr(pages, "ANSWER_BYTES_MAX", 5_000)
    listed: list[int] = []
    sizes: list[int] = []
    token = ""
    while token or not sizes:
        request = ops.ListJobsRequest(page_size=500, page_token=token)
        answer = await client.operations.ListJobs(request)
        listed += [job.job_id for job in answer.jobs]
        sizes.append(answer.ByteSize())
        token = answer.next_page_token
    assert listed == sorted((job.job.job_id for job in jobs), reverse=True)
    assert len(sizes) > 1
    assert max(sizes) <= 5_100


async def test_a_change_that_is_too_large_for_a_message_comes_as_pages_of_a_snapshot(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "ANSWER_BYTES_MAX", 2_000)
    (parent,) = await held_jobs(client, 1)
    pipeline_id = parent.job.pipeline_id
    children = [pb.ChildSpec(child_key=f"child {n}", job_type="noop") for n in range(CHILDREN)]
    chain = pb.ChainRequest(
        worker_id=client.worker_id,
        job_id=parent.job.job_id,
        claim_token=parent.claim_token,
        children=children,
    )
    await client.scheduler.Chain(chain)
    async with asyncio.timeout(10):
        watch = aiter(
            client.scheduler.WatchPipeline(pb.WatchPipelineRequest(pipeline_id=pipeline_id))
        )
        (first,) = await snapshot(watch)
        await client.finish(parent)
        in_stream = await snapshot(watch)
        again = pb.WatchPipelineRequest(
            pipeline_id=pipeline_id, after_version=first.pipeline.version
        )
        from_a_version = await snapshot(aiter(client.scheduler.WatchPipeline(again)))
    for pages_seen in (in_stream, from_a_version):
        assert len(pages_seen) > 2
        assert len({job.job_id for page in pages_seen for job in page.jobs}) == 1 + CHILDREN
        assert {page.pipeline.version for page in pages_seen} == {first.pipeline.version + 1}
        assert max(page.ByteSize() for page in pages_seen) < 2_500


async def snapshot(
    watch: AsyncIterator[pb.WatchPipelineResponse],
) -> list[pb.PipelineSnapshot]:
    """The next pages of a snapshot; no change may come before them."""
    found: list[pb.PipelineSnapshot] = []
    while not found or found[-1].more:
        message = await anext(watch)
        assert message.WhichOneof("message") != "change"
        if message.HasField("snapshot"):
            found.append(message.snapshot)
    return found
