"""A pipeline of many jobs is sent in pages, which can be taken up again behind any of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.jobs.limits import Limits
from scheduler_service.rpc import gradually, snapshots, watch
from scheduler_service.settings import Settings
from scheduler_service.store.ending import children
from scheduler_service.store.finish import finish_jobs
from scheduler_service.store.reads import reads
from scheduler_service.store.reads.rows import SeenJobRow
from tests.scheduler_service.rpc.conftest import Client

CHILDREN = 60
# Of a page, of a read of the first page, and of a read of the pages behind.
PAGE, VIEW, PART = 7, 20, 13
# Jobs that end in one version: more than half of a read.
TOGETHER = 15
SECONDS = 20.0


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty jobs are many."""
    monkeypatch.setattr(snapshots, "SNAPSHOT_JOBS_MAX", PAGE)
    monkeypatch.setattr(snapshots, "READ_JOBS_MAX", PART)
    monkeypatch.setattr(reads, "VIEW_JOBS_MAX", VIEW)
    monkeypatch.setattr(gradually, "MESSAGES_AT_ONCE", 3)
    monkeypatch.setattr(children, "CHILDREN_AT_ONCE", 7)
    monkeypatch.setattr(finish_jobs, "CHILDREN_TOGETHER_MAX", CHILDREN // 2)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """No job may chain more."""
    return replace(settings, limits=Limits(children=CHILDREN))


async def planted(client: Client) -> int:
    """A pipeline of a root, which has ended, and its children."""
    submitted = await client.submit("noop", types_pb2.Scope())
    (root,) = await client.claim("noop")
    await chain(client, root, CHILDREN)
    await client.finish(root)
    return submitted.pipeline_id


async def chain(client: Client, job: pb.ClaimedJob, count: int, name: str = "") -> None:
    """Stage so many children."""
    await client.scheduler.Chain(
        pb.ChainRequest(
            worker_id=client.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            children=[pb.ChildSpec(child_key=f"{name}{n}", job_type="noop") for n in range(count)],
        )
    )


async def test_a_claim_may_not_have_too_many_children(client: Client) -> None:
    await client.submit("noop", types_pb2.Scope())
    (root,) = await client.claim("noop")
    await chain(client, root, CHILDREN)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await chain(client, root, 2, "more")
    error = server_error(raised.value)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "TOO_LARGE")
    assert error.metadata == {"limit": f"{CHILDREN}", "size": f"{CHILDREN + 2}"}
    # Nothing of the refused call stays, and what was there may be named again.
    await chain(client, root, CHILDREN)
    assert len((await client.finish(root)).children) == CHILDREN


async def test_parents_of_many_children_that_end_together_are_finished_in_parts(
    client: Client,
) -> None:
    await client.submit("noop", types_pb2.Scope())
    (root,) = await client.claim("noop")
    await chain(client, root, 4)
    await client.finish(root)
    parents = await client.claim("noop", max_jobs=4)
    for parent in parents:
        await chain(client, parent, CHILDREN // 4)
    requests = [client.ending(parent) for parent in parents]
    before = await versions(client)
    answer = await client.scheduler.BatchFinish(pb.BatchFinishRequest(requests=requests))
    assert [len(one.response.children) for one in answer.results] == [CHILDREN // 4] * 4
    # No transaction made more than half of the jobs.
    assert await versions(client) >= before + 2


async def versions(client: Client) -> int:
    """How often the only pipeline has changed."""
    version: int = await client.server.store.pool.fetchval(
        "SELECT version FROM scheduler.pipelines"
    )
    return version


def watched(client: Client, pipeline_id: int, **how: Any) -> AsyncIterator[Any]:
    """A watch of the pipeline, from the beginning unless told otherwise."""
    stream: AsyncIterator[Any] = aiter(
        client.scheduler.WatchPipeline(pb.WatchPipelineRequest(pipeline_id=pipeline_id, **how))
    )
    return stream


async def pages_of(watch: AsyncIterator[Any], most: int = 1_000) -> list[pb.PipelineSnapshot]:
    """The next pages of a snapshot, at most so many."""
    found: list[pb.PipelineSnapshot] = []
    async with asyncio.timeout(SECONDS):
        while len(found) < most and (not found or found[-1].more):
            message = await anext(watch)
            if message.HasField("snapshot"):
                found.append(message.snapshot)
    return found


def numbers(pages: Sequence[pb.PipelineSnapshot]) -> list[int]:
    """The jobs on these pages."""
    return [job.job_id for page in pages for job in page.jobs]


def position_of(page: pb.PipelineSnapshot) -> pb.SnapshotPosition:
    """Where the watch breaks off behind this page."""
    return pb.SnapshotPosition(version=page.pipeline.version, after_job_id=page.jobs[-1].job_id)


async def test_each_page_is_small_and_says_which_job_it_follows(client: Client) -> None:
    pages = await pages_of(watched(client, await planted(client)))
    assert len(numbers(pages)) == CHILDREN + 1
    assert numbers(pages) == sorted(set(numbers(pages)))
    assert max(len(page.jobs) for page in pages) == PAGE
    assert pages[0].after_job_id == 0
    for before, page in pairwise(pages):
        assert page.after_job_id == before.jobs[-1].job_id
    assert len({page.pipeline.version for page in pages}) == 1


async def test_a_snapshot_is_taken_up_again_behind_any_of_its_pages(client: Client) -> None:
    pipeline_id = await planted(client)
    pages = await pages_of(watched(client, pipeline_id))
    for number, page in enumerate(pages[:-1], start=1):
        again = watched(client, pipeline_id, broken_off=position_of(page))
        rest = await pages_of(again)
        assert rest[0].after_job_id == page.jobs[-1].job_id
        assert numbers(pages[:number]) + numbers(rest) == numbers(pages)


async def test_a_part_has_as_many_jobs_as_fit_and_is_not_kept_behind_its_pages(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_id = await planted(client)
    [usual, *_] = (await pages_of(watched(client, pipeline_id)))[1].jobs
    part_bytes = 5 * usual.ByteSize()
    monkeypatch.setattr(snapshots, "PART_BYTES_MAX", part_bytes)
    view = (await client.server.store.read_views({pipeline_id: 0}))[pipeline_id]
    start = await watch._start_of(view, 0)
    sent = [job for message in start.messages for job in message.snapshot.jobs]
    assert 1 < len(sent) < len(view.jobs)
    assert sum(job.ByteSize() for job in sent) <= part_bytes
    assert start.view.jobs == []
    store, asked = client.server.store, list[int]()
    jobs_after = store.jobs_after

    async def noting(pipeline_id: int, after_job_id: int, *, jobs_max: int) -> list[SeenJobRow]:
        asked.append(jobs_max)
        return await jobs_after(pipeline_id, after_job_id, jobs_max=jobs_max)

    monkeypatch.setattr(store, "jobs_after", noting)
    pages = await pages_of(watched(client, pipeline_id))
    assert len(numbers(pages)) == len(set(numbers(pages))) == CHILDREN + 1
    for page in pages:
        assert sum(job.ByteSize() for job in page.jobs) <= part_bytes
    # After the first part no more is read than may be used.
    assert len(asked) > 5
    assert max(asked[1:]) <= 2 * 6 + 1


async def test_a_watcher_has_its_page_before_the_next_watchers_is_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline_id = await planted(client)
    pages = (await pages_of(watched(client, pipeline_id)))[:3]
    store = client.server.store
    jobs_after, go_on = store.jobs_after, asyncio.Event()

    async def the_last_one_late(
        pipeline_id: int, after_job_id: int, *, jobs_max: int
    ) -> list[SeenJobRow]:
        if after_job_id == position_of(pages[-1]).after_job_id:
            await go_on.wait()
        return await jobs_after(pipeline_id, after_job_id, jobs_max=jobs_max)

    monkeypatch.setattr(store, "jobs_after", the_last_one_late)
    shared = snapshots.Snapshots(store, asyncio.Lock())
    *first, last = [
        asyncio.ensure_future(
            pages_of(shared.after(page.pipeline, position_of(page).after_job_id), most=1)
        )
        for page in pages
    ]
    async with asyncio.timeout(SECONDS):
        assert all(await asyncio.gather(*first))
        go_on.set()
        assert await last


async def test_what_changes_between_two_pages_comes_as_a_change_after_the_last(
    client: Client,
) -> None:
    pipeline_id = await planted(client)
    pages = await pages_of(watched(client, pipeline_id), most=2)
    jobs = await client.claim("noop", max_jobs=CHILDREN)
    ended = [job.job.job_id for job in (jobs[0], jobs[-1])]
    for job in (jobs[0], jobs[-1]):
        await client.finish(job)
    watch = watched(client, pipeline_id, broken_off=position_of(pages[-1]))
    pages += await pages_of(watch)
    assert len(set(numbers(pages))) == CHILDREN + 1
    assert len({page.pipeline.version for page in pages}) == 1
    version = pages[0].pipeline.version
    results: dict[int, int] = {}
    async with asyncio.timeout(SECONDS):
        # One change or two, as they were read.
        while len(results) < len(ended):
            message = await anext(watch)
            if message.HasField("change"):
                assert message.change.from_version == version
                version = message.change.to_version
                results |= {job.job_id: job.result for job in message.change.jobs}
    assert results == dict.fromkeys(ended, types_pb2.JOB_RESULT_SUCCESS)


async def test_an_ended_pipeline_is_taken_up_again_and_comes_to_its_end(client: Client) -> None:
    pipeline_id = await planted(client)
    pages = await pages_of(watched(client, pipeline_id), most=3)
    for job in await client.claim("noop", max_jobs=CHILDREN):
        await client.finish(job)
    watch = watched(client, pipeline_id, broken_off=position_of(pages[-1]))
    async with asyncio.timeout(SECONDS):
        kinds = [message.WhichOneof("message") async for message in watch]
    assert (kinds[0], kinds[-1]) == ("snapshot", "final")
    assert "change" in kinds


async def test_a_position_that_never_was_starts_over(client: Client) -> None:
    pipeline_id = await planted(client)
    position = pb.SnapshotPosition(version=1_000, after_job_id=3)
    pages = await pages_of(watched(client, pipeline_id, broken_off=position))
    assert pages[0].after_job_id == 0
    assert len(numbers(pages)) == CHILDREN + 1


async def test_many_changes_come_in_several_messages_without_a_gap(client: Client) -> None:
    pipeline_id = await planted(client)
    (page,) = await pages_of(watched(client, pipeline_id), most=1)
    version = page.pipeline.version
    jobs = await client.claim("noop", max_jobs=CHILDREN)
    for start in range(0, CHILDREN, TOGETHER):
        requests = [client.ending(job) for job in jobs[start : start + TOGETHER]]
        await client.scheduler.BatchFinish(pb.BatchFinishRequest(requests=requests))
    seen: set[int] = set()
    spans = []
    async with asyncio.timeout(SECONDS):
        async for message in watched(client, pipeline_id, after_version=version):
            if message.HasField("change"):
                change = message.change
                spans.append((change.from_version, change.to_version))
                seen |= {job.job_id for job in change.jobs}
                assert change.pipeline.version == change.to_version
    assert len(seen) == CHILDREN
    assert len(spans) > 1
    assert [start for start, _ in spans] == [version, *(end for _, end in spans[:-1])]


async def test_a_broken_off_position_needs_both_numbers(client: Client) -> None:
    watch = watched(client, await planted(client), broken_off=pb.SnapshotPosition(version=1))
    with pytest.raises(grpc.aio.AioRpcError, match=r"broken_off\.after_job_id"):
        await anext(watch)
