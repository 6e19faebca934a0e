"""An item that the database refuses, or chokes on, fails alone in the statement that many share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import grpc.aio
import pytest

from carbonline.client.errors import server_error
from carbonline.client.json_struct import struct_of
from carbonline.v1 import operations_pb2, types_pb2
from carbonline.v1 import scheduler_pb2 as pb
from tests.scheduler_service.rpc.conftest import BLOB, Client

# What PostgreSQL may say of one row: a value out of range, and what nobody has foreseen.
REFUSED, DEFECT = "22003", "P0001"
CODES = {REFUSED: grpc.StatusCode.INVALID_ARGUMENT, DEFECT: grpc.StatusCode.UNKNOWN}
# The checks let no such value through, so these tables refuse what they do let through: a text
# that is the code to refuse it with.
TRAP = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE poison text := coalesce(to_jsonb(NEW) #>> '{payload,code}', to_jsonb(NEW) ->> TG_ARGV[0]);
BEGIN
    IF poison IN ('22003', 'P0001') THEN RAISE EXCEPTION 'poisoned' USING ERRCODE = poison; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER traps_submits BEFORE INSERT ON scheduler.jobs FOR EACH ROW
    EXECUTE FUNCTION refuse();
CREATE TRIGGER traps_ends BEFORE UPDATE ON scheduler.jobs FOR EACH ROW
    EXECUTE FUNCTION refuse('message');
CREATE TRIGGER traps_beats BEFORE UPDATE ON scheduler.claims FOR EACH ROW
    EXECUTE FUNCTION refuse('progress_message');
"""
ITEMS = 9
# By their places among the others.
POISONED = {2: REFUSED, 3: DEFECT, 7: REFUSED}


@pytest.fixture
async def trapped(client: Client) -> Client:
    """A client of a scheduler whose tables refuse poison."""
    await client.server.store.pool.execute(TRAP)
    return client


def submissions() -> list[pb.SubmitRequest]:
    return [
        pb.SubmitRequest(
            request_id=str(uuid4()),
            job_type="noop",
            payload=struct_of({"code": POISONED.get(number, "good")}),
        )
        for number in range(ITEMS)
    ]


async def endings(client: Client) -> list[pb.FinishRequest]:
    """Of plain jobs, and of two whose ends have more to follow: one good, one poisoned."""
    for _ in range(ITEMS - 2):
        await client.submit("noop", types_pb2.Scope())
    places = types_pb2.Scope(reference_kind="locations")
    await client.submit("reference_ingest", places, {"blob": BLOB, "transport_mode": "plane"})
    await client.submit("unit_sync", types_pb2.Scope(year=2024), {"blob": BLOB})
    *plain, last = await client.claim("noop", max_jobs=ITEMS)
    others = [*await client.claim("reference_ingest"), *await client.claim("unit_sync")]
    ended = [client.ending(job) for job in (*plain, *others, last)]
    for number, code in POISONED.items():
        ended[number].message = code
    return ended


async def count(client: Client, query: str) -> int:
    found: int = await client.server.store.pool.fetchval(query)
    return found


async def outcomes(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """Answers and errors."""
    return await asyncio.gather(*calls, return_exceptions=True)


def assert_only_the_poisoned_failed(answers: Sequence[Any]) -> None:
    failed = {n: a.code() for n, a in enumerate(answers) if isinstance(a, grpc.aio.AioRpcError)}
    assert failed == {place: CODES[code] for place, code in POISONED.items()}
    # What PostgreSQL says may quote rows: it is for the log.
    said = [a.details() or "" for a in answers if isinstance(a, grpc.aio.AioRpcError)]
    assert not any("poisoned" in one or "asyncpg" in one for one in said), said


@asynccontextmanager
async def held_back(client: Client, database_url: str, table: str) -> AsyncIterator[None]:
    """While it lasts, no statement that writes the table gets on."""
    conn = await asyncpg.connect(database_url)
    try:
        async with conn.transaction():
            await conn.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            yield
    finally:
        await conn.close()


async def gathered(
    client: Client, database_url: str, table: str, calls: Sequence[Callable[[], Awaitable[Any]]]
) -> list[Any]:
    """The calls' outcomes; a first one was on its way when the others came, so they shared."""
    async with held_back(client, database_url, table):
        tasks = [asyncio.ensure_future(calls[0]())]
        async with asyncio.timeout(4):
            # Locks of others tell nobody.
            while not await count(client, WAITING):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        tasks += [asyncio.ensure_future(call()) for call in calls[1:]]
        # Whatever is sent on one connection is heard in its order.
        await client.operations.GetYear(operations_pb2.GetYearRequest(year=2024))
    return await outcomes(tasks)


WAITING = (
    "SELECT count(*) FROM pg_locks WHERE NOT granted"
    " AND relation IN (CAST('scheduler.jobs' AS regclass), CAST('scheduler.claims' AS regclass))"
)


def some_shared(client: Client, operation: str) -> bool:
    """Whether a transaction had more than five items."""
    name, labels = "carbonline_scheduler_gathered_items", {"operation": operation}
    sample = client.server.metrics.registry.get_sample_value
    small = sample(f"{name}_bucket", {**labels, "le": "5.0"})
    return small != sample(f"{name}_count", labels)


async def test_a_poisoned_submit_fails_alone(trapped: Client, database_url: str) -> None:
    calls = [lambda r=r: trapped.scheduler.Submit(r) for r in submissions()]
    answers = await gathered(trapped, database_url, "scheduler.jobs", calls)
    assert some_shared(trapped, "submit")
    assert_only_the_poisoned_failed(answers)
    assert await count(trapped, "SELECT count(*) FROM scheduler.jobs") == ITEMS - len(POISONED)


async def test_a_poisoned_finish_fails_alone(trapped: Client, database_url: str) -> None:
    calls = [lambda e=e: trapped.scheduler.Finish(e) for e in await endings(trapped)]
    answers = await gathered(trapped, database_url, "scheduler.jobs", calls)
    assert some_shared(trapped, "finish")
    assert_only_the_poisoned_failed(answers)
    assert all(a.finished for a in answers if isinstance(a, pb.FinishResponse))
    running = "SELECT count(*) FROM scheduler.jobs WHERE state = 'RUNNING'"
    assert await count(trapped, running) == len(POISONED)


async def test_a_poisoned_beat_fails_its_own_call_alone(trapped: Client, database_url: str) -> None:
    requests = []
    for ending in await endings(trapped):
        progress = types_pb2.Progress(done=1, message=ending.message)
        beat = pb.ClaimBeat(job_id=ending.job_id, claim_token=ending.claim_token, progress=progress)
        requests.append(pb.HeartbeatRequest(worker_id=trapped.worker_id, beats=[beat]))
    calls = [lambda r=r: trapped.scheduler.Heartbeat(r) for r in requests]
    answers = await gathered(trapped, database_url, "scheduler.claims", calls)
    assert_only_the_poisoned_failed(answers)
    told = "SELECT count(*) FROM scheduler.claims WHERE progress_done = 1"
    assert await count(trapped, told) == ITEMS - len(POISONED)


async def test_in_a_batch_each_submit_has_its_own_answer(trapped: Client) -> None:
    batch = pb.BatchSubmitRequest(requests=submissions())
    answer = await trapped.scheduler.BatchSubmit(batch)
    assert_errors_of_the_poisoned(answer.results)
    assert await count(trapped, "SELECT count(*) FROM scheduler.jobs") == ITEMS - len(POISONED)
    again = await trapped.scheduler.BatchSubmit(batch)
    first = [one.response.job_id for one in answer.results]
    assert [one.response.job_id for one in again.results] == first


async def test_in_a_batch_each_finish_has_its_own_answer(trapped: Client) -> None:
    batch = pb.BatchFinishRequest(requests=await endings(trapped))
    answer = await trapped.scheduler.BatchFinish(batch)
    assert_errors_of_the_poisoned(answer.results)
    finished = [one.response.finished for one in answer.results]
    assert finished == [number not in POISONED for number in range(ITEMS)]


async def test_a_poisoned_claim_keeps_no_other_of_its_release(client: Client) -> None:
    for number in range(ITEMS):
        payload: dict[str, object] = {"code": POISONED.get(number, "good")}
        await client.submit("noop", types_pb2.Scope(), payload)
    releases = [
        pb.ClaimRelease(
            job_id=one.job.job_id,
            claim_token=one.claim_token,
            reason=pb.RELEASE_REASON_DRAIN,
            written=types_pb2.WRITTEN_NOTHING,
        )
        for one in await client.claim("noop", max_jobs=ITEMS)
    ]
    await client.server.store.pool.execute(TRAP)
    request = pb.ReleaseRequest(worker_id=client.worker_id, releases=releases)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await client.scheduler.Release(request)
    assert raised.value.code() in CODES.values()
    queued = "SELECT count(*) FROM scheduler.jobs WHERE state = 'QUEUED'"
    assert await count(client, queued) == ITEMS - len(POISONED)


def assert_errors_of_the_poisoned(results: Sequence[Any]) -> None:
    errors = {n: one.error for n, one in enumerate(results) if one.WhichOneof("result") == "error"}
    assert errors.keys() == POISONED.keys()
    for place, error in errors.items():
        assert error.code == CODES[POISONED[place]].value[0]
        assert error.reason == ("FIELD_INVALID" if POISONED[place] == REFUSED else "")
        # What the database says is for the log.
        assert "poisoned" not in error.message


async def test_a_value_that_the_database_refuses_is_a_wrong_field_of_a_call(
    trapped: Client,
) -> None:
    request = submissions()[2]
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await trapped.scheduler.Submit(request)
    assert server_error(raised.value).reason == "FIELD_INVALID"
