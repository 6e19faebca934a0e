"""A watcher sees a job begin and go on when it does, not when the next poll comes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.settings import Settings
from tests.scheduler_service.rpc.conftest import Client

A_POLL_SECONDS = 300.0
SECONDS = 20.0


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing comes by a poll here, nor by a keepalive."""
    return replace(settings, poll_seconds=A_POLL_SECONDS, keepalive_seconds=A_POLL_SECONDS)


async def shown(watch: AsyncIterator[pb.WatchPipelineResponse]) -> types_pb2.Job:
    """The one job of the next activity."""
    async for message in watch:
        if message.HasField("activity"):
            (job,) = message.activity.jobs
            return job
    raise AssertionError("the watch is over")


async def test_a_claim_and_each_progress_are_shown_at_once(client: Client) -> None:
    submitted = await client.submit("noop", types_pb2.Scope(tenant="local"))
    request = pb.WatchPipelineRequest(pipeline_id=submitted.pipeline_id)
    watch: Any = aiter(client.scheduler.WatchPipeline(request))
    async with asyncio.timeout(SECONDS):
        assert (await anext(watch)).HasField("snapshot")
        (claimed,) = await client.claim("noop")
        while (await shown(watch)).state != types_pb2.JOB_STATE_RUNNING:
            pass
        for done in (1, 7):
            beat = pb.ClaimBeat(job_id=claimed.job.job_id, claim_token=claimed.claim_token)
            beat.progress.done, beat.progress.total, beat.progress.phase = done, 10, "read"
            await client.scheduler.Heartbeat(
                pb.HeartbeatRequest(worker_id=client.worker_id, beats=[beat])
            )
            while (await shown(watch)).progress.done != done:
                pass
