"""A watch outlives its connection, and its view equals what the server said."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import grpc
import grpc.aio
import pytest

from carbonline.client import lasting_stream
from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.view import PipelineView
from carbonline.client.watch import Interrupted
from carbonline.command.follow import watch_to_end
from carbonline.serving.errors import RpcError
from carbonline.v1 import types_pb2
from carbonline.v1.scheduler_pb2_grpc import add_SchedulerServiceServicer_to_server
from tests.carbonline.command.scripted_watch import (
    SILENCE,
    Message,
    Script,
    ScriptedWatch,
    activity,
    change,
    final,
    job,
    snapshot,
)

FINISHED = types_pb2.JOB_STATE_FINISHED
Play = Callable[..., Awaitable[tuple[ContractClient, ScriptedWatch]]]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    async with AsyncExitStack() as stack:

        async def start(*scripts: Script) -> tuple[ContractClient, ScriptedWatch]:
            scripted = ScriptedWatch(*scripts)  # type: ignore[abstract]  # the rest is UNIMPLEMENTED
            server = grpc.aio.server()
            add_SchedulerServiceServicer_to_server(scripted, server)
            server.add_insecure_port(f"unix:{tmp_path}/s")
            await server.start()
            stack.push_async_callback(server.stop, 0)
            address = f"unix:{tmp_path}/s"
            return await stack.enter_async_context(ContractClient(address, address)), scripted

        yield start


def running(status: types_pb2.PipelineStatus.ValueType) -> Message:
    """What runs, and that the pipeline does."""
    said = activity(job(1))
    said.activity.status = status
    return said


async def watched(client: ContractClient, **how: float) -> tuple[PipelineView, list[int]]:
    view, interruptions = PipelineView(), []
    async for event in client.watch(1, **how):  # type: ignore[arg-type]  # patience, in tests
        view.apply(event)
        if isinstance(event, Interrupted):
            interruptions.append(event.version)
    return view, interruptions


@pytest.mark.parametrize(
    "breaks",
    [
        (grpc.StatusCode.UNAVAILABLE,),
        # What a server that ends in the middle of a call leaves behind.
        (grpc.StatusCode.CANCELLED,),
        (grpc.StatusCode.RESOURCE_EXHAUSTED,),
        (),
    ],
)
async def test_a_broken_watch_goes_on_from_the_last_version(play: Play, breaks: Script) -> None:
    client, scripted = await play(
        [snapshot(3, job(1)), change(3, 5, job(2)), *breaks],
        [change(5, 6, job(1, FINISHED)), Message(), final(6)],
    )
    view, interruptions = await watched(client)
    assert scripted.asked == [0, 5]
    assert interruptions == [5]
    assert view.ended
    assert [(one.job_id, one.state == FINISHED) for one in view.in_order()] == [
        (1, True),
        (2, False),
    ]


async def test_a_stream_that_ends_as_a_matter_of_routine_goes_on_without_a_word(play: Play) -> None:
    client, scripted = await play(
        [snapshot(3, job(1)), RpcError("STREAM_MAXIMUM_AGE", "old")],
        [RpcError("STREAM_MAXIMUM_AGE", "old, and nothing happened")],
        [change(3, 5, job(2)), RpcError("DRAINING", "it ends")],
        [final(6)],
    )
    view, interruptions = await watched(client)
    # gRPC itself repeats a call that was answered by nothing but UNAVAILABLE.
    assert sorted(set(scripted.asked)) == [0, 3, 5]
    assert interruptions == []
    assert view.ended


async def test_a_snapshot_that_breaks_between_its_pages_goes_on_behind_the_last(
    play: Play,
) -> None:
    client, scripted = await play(
        [snapshot(3, job(1), more=True), grpc.StatusCode.UNAVAILABLE],
        [snapshot(3, job(2), more=True, after_job_id=1), grpc.StatusCode.UNAVAILABLE],
        [snapshot(3, job(4), after_job_id=2), change(3, 4, job(3)), final(4)],
    )
    view, _ = await watched(client)
    assert scripted.asked == [0, 0, 0]
    assert scripted.broken_off == [(0, 0), (3, 1), (3, 2)]
    assert sorted(view.jobs) == [1, 2, 3, 4]


async def test_a_snapshot_that_starts_over_replaces_the_pages_before(play: Play) -> None:
    client, scripted = await play(
        [snapshot(3, job(1), more=True), grpc.StatusCode.UNAVAILABLE],
        # The pages of an older server do not say what they follow.
        [snapshot(2, job(2), more=True), snapshot(2, job(3)), final(2)],
    )
    view, _ = await watched(client)
    assert scripted.broken_off == [(0, 0), (3, 1)]
    assert list(view.jobs) == [2, 3]


async def test_late_activity_does_not_bring_an_ended_job_back(play: Play) -> None:
    client, _ = await play(
        [
            snapshot(1, job(1), job(2)),
            change(1, 2, job(1, FINISHED), left=2),
            activity(job(1), job(2)),
            final(2),
        ]
    )
    view, _ = await watched(client)
    assert view.jobs[1].state == FINISHED
    assert list(view.jobs) == [1]


async def test_a_refused_watch_is_not_repeated(play: Play) -> None:
    client, scripted = await play([grpc.StatusCode.NOT_FOUND])
    with pytest.raises(ServerError, match="as the script says") as refused:
        await watched(client)
    assert refused.value.code == "NOT_FOUND"
    assert len(scripted.asked) == 1


async def test_silence_is_counted_from_the_last_message_and_a_broken_stream_from_its_end(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lasting_stream, "SILENCE_SECONDS_MAX", 0.3)
    client, _ = await play(
        [snapshot(3, job(1)), SILENCE],
        [change(3, 4, job(2)), grpc.StatusCode.UNAVAILABLE],
        [final(4)],
    )
    silent, broken = [
        event.silent_seconds async for event in client.watch(1) if isinstance(event, Interrupted)
    ]
    assert silent >= 0.3
    assert broken == 0.0


async def test_patience_ends_when_nobody_answers(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/nobody"
    async with ContractClient(address, address) as client:
        with pytest.raises(ServerError) as gone:
            await watched(client, patience_seconds=0.0)
    assert gone.value.unreachable


class Told:
    """A display that only remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def show(self, view: PipelineView) -> None:
        self.told.append(f"version {view.pipeline.version if view.pipeline else 0}")

    def lost(self, pipeline_id: int, silent_seconds: float = 0.0) -> None:
        self.told.append(f"lost {pipeline_id}")

    def waits(self, why: str) -> None:
        self.told.append(why)

    def note(self, sentence: str) -> None:
        self.told.append(sentence)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


async def test_a_lost_connection_is_told_to_the_display_and_not_in_lines_of_its_own(
    play: Play,
) -> None:
    client, _ = await play([snapshot(3, job(1)), grpc.StatusCode.UNAVAILABLE], [final(4)])
    display = Told()
    view = await watch_to_end(client, 1, display)
    assert view.ended
    assert display.told == ["version 3", "lost 1", "version 4"]


async def test_late_news_that_it_runs_take_back_no_end(play: Play) -> None:
    ended = change(1, 2, job(1, FINISHED))
    ended.change.pipeline.status = types_pb2.PIPELINE_STATUS_PARTIAL
    begun = snapshot(1, job(1))
    begun.snapshot.pipeline.status = types_pb2.PIPELINE_STATUS_NOT_STARTED
    older, late = (
        running(status)
        for status in (types_pb2.PIPELINE_STATUS_UNSPECIFIED, types_pb2.PIPELINE_STATUS_RUNNING)
    )
    client, _ = await play([begun, older, late, ended, late, SILENCE])
    view, seen = PipelineView(), list[types_pb2.PipelineStatus.ValueType]()
    watching = client.watch(1)
    for _ in range(5):
        view.apply(await anext(watching))
        assert view.pipeline is not None
        seen.append(view.pipeline.status)
    await watching.aclose()  # type: ignore[attr-defined]  # a generator
    not_started, run = types_pb2.PIPELINE_STATUS_NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING
    assert seen == [not_started, not_started, run, *2 * [types_pb2.PIPELINE_STATUS_PARTIAL]]
