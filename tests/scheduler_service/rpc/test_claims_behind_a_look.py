"""A Claim does not look where the look before has left nothing, and nothing has come since."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from carbonline.v1 import scheduler_pb2 as pb
from carbonline.v1 import types_pb2
from scheduler_service.jobs.requests import ClaimRequest
from scheduler_service.rpc import long_poll
from scheduler_service.settings import Settings
from scheduler_service.store.core.claimed import Claimed
from tests.scheduler_service.rpc.conftest import Client

NEVER_SECONDS = 3600.0
SECONDS = 20


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nothing is found by a poll."""
    return replace(settings, poll_seconds=NEVER_SECONDS, lease_seconds=4 * NEVER_SECONDS)


@pytest.fixture
def no_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not look at once waits for a hint."""
    monkeypatch.setattr(long_poll, "FIRST_LOOK_SECONDS", NEVER_SECONDS)


@pytest.fixture(autouse=True)
async def has_begun(client: Client) -> None:
    """The scheduler listens, and has looked at everything for that."""
    async with asyncio.timeout(SECONDS):
        while client.server.store.notifier.others_listen:  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.fixture
def looks(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each look at the queue has found."""
    store: Any = client.server.store
    claim_jobs, found = store.claim_jobs, list[int]()

    async def look(request: ClaimRequest) -> Sequence[Claimed]:
        claims: Sequence[Claimed] = await claim_jobs(request)
        found.append(len(claims))
        return claims

    monkeypatch.setattr(store, "claim_jobs", look)
    return found


@pytest.mark.usefixtures("no_first_look")
async def test_a_claim_behind_an_empty_look_waits_for_a_job_and_looks_then(
    client: Client, looks: list[int]
) -> None:
    assert await client.claim("noop") == []
    async with asyncio.timeout(SECONDS):
        waiting = asyncio.create_task(client.claim("noop", wait_seconds=SECONDS))
        # It is answered behind the other, which is on its way before.
        await client.scheduler.Heartbeat(pb.HeartbeatRequest(worker_id=client.worker_id))
        await client.submit("noop", types_pb2.Scope())
        assert len(await waiting) == 1
    assert looks == [0, 1]


@pytest.mark.usefixtures("no_first_look")
async def test_what_a_claim_has_left_is_found_at_once(client: Client) -> None:
    for _ in range(2):
        await client.submit("noop", types_pb2.Scope())
    async with asyncio.timeout(SECONDS):
        assert len(await client.claim("noop")) == 1
        assert len(await client.claim("noop", wait_seconds=SECONDS)) == 1


@pytest.mark.usefixtures("no_first_look")
async def test_what_was_queued_since_the_last_look_is_found_at_once(client: Client) -> None:
    assert await client.claim("noop") == []
    await client.submit("noop", types_pb2.Scope())
    async with asyncio.timeout(SECONDS):
        assert len(await client.claim("noop", wait_seconds=SECONDS)) == 1


async def test_a_repeated_claim_gets_what_it_holds_though_nobody_hints_at_it(
    client: Client,
) -> None:
    await client.submit("noop", types_pb2.Scope())
    request = pb.ClaimRequest(
        worker_id=client.worker_id,
        request_id=str(uuid4()),
        job_types=["noop"],
        max_jobs=1,
        build_id="test",
    )
    request.wait.seconds = SECONDS
    async with asyncio.timeout(SECONDS / 2):
        (first,) = (await client.scheduler.Claim(request)).jobs
        (again,) = (await client.scheduler.Claim(request)).jobs
    assert again.claim_token == first.claim_token
