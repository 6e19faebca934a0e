"""Two schedulers stand in for each other: one may freeze or restart, and the work goes on."""

import asyncio
import os
import signal

import grpc.aio
import pytest

from carbonline.client import lasting_stream
from carbonline.client.errors import ServerError, server_error
from carbonline.client.no_answer import Server
from carbonline.client.view import PipelineView
from carbonline.client.watch import Interrupted
from tests.acceptance.acceptance_run import AcceptanceRun, reading
from tests.acceptance.conftest import OpenRun
from tests.acceptance.faults import until_stopped


async def test_while_one_is_frozen_the_other_does_its_work(open_run: OpenRun) -> None:
    # Connections last: a closed one would be opened to the other anyway. So does the lease: whoever
    # calls notices the silence within eleven seconds, longer than the lease of the other tests.
    async with open_run(environment={}, lease_seconds=30.0, beat_seconds=3.0) as run:
        pipeline = await run.submit()
        await run.until(pipeline, reading)
        frozen = run.stack.pid("scheduler-1")
        os.kill(frozen, signal.SIGSTOP)
        try:
            await until_stopped(frozen)
            # Whoever calls the frozen one finds the other within the deadline of the call.
            for _ in range(3):
                await run.client.list_workers()
            view = await run.ended(pipeline)
            await run.must_have_arrived(view)
            assert {job.attempts for job in view.in_order()} == {1}
        finally:
            os.kill(frozen, signal.SIGCONT)


async def test_a_rolling_restart_is_noticed_by_nobody(open_run: OpenRun) -> None:
    async with open_run(supervise=False) as run:
        pipeline = await run.submit()
        watching = asyncio.create_task(watch_to_end(run, pipeline))
        await run.until(pipeline, reading)
        for name in ("scheduler-1", "scheduler-2"):
            await run.stack.restart(name)
        view, interruptions = await watching
        await run.must_have_arrived(view)
        assert interruptions == []
        assert {job.attempts for job in view.in_order()} == {1}
        assert all(not run.log_lines(f"scheduler-{n}", "claims_expired") for n in (1, 2))


async def watch_to_end(run: AcceptanceRun, pipeline_id: int) -> tuple[PipelineView, list[str]]:
    """The view at the end of a pipeline, and why its watch was interrupted each time."""
    view, interruptions = PipelineView(), []
    async for event in run.client.watch(pipeline_id):
        view.apply(event)
        if isinstance(event, Interrupted):
            interruptions.append(event.reason)
    return view, interruptions


async def test_connections_that_are_closed_for_their_age_are_no_news(
    run: AcceptanceRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams_ended: list[str] = []

    def noted(error: grpc.aio.AioRpcError, server: Server) -> ServerError:
        ended = server_error(error, server)
        streams_ended.append(ended.reason or str(error.details()))
        return ended

    monkeypatch.setattr(lasting_stream, "server_error", noted)
    pipeline = await run.submit()
    view, interruptions = await watch_to_end(run, pipeline)
    await run.must_have_arrived(view)
    assert set(streams_ended) == {lasting_stream.OLD}
    assert interruptions == []
    for name in ("worker-1", "worker-2"):
        for event in ("claim_unanswered", "heartbeat_unanswered", "finish_or_release_unanswered"):
            assert run.log_lines(name, event) == []
    assert {job.attempts for job in view.in_order()} == {1}
