"""Whoever comes back to a stream gets what is missing: at every version of a run, and no more."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from carbonline.v1 import types_pb2
from tests.gateway.http_client import SECONDS_MAX, Event, HttpClient
from tests.gateway.test_console_events import EVENTS, next_update
from tests.gateway.test_streams import all_events
from tests.scheduler_service.rpc.conftest import Client
from tests.scheduler_service.rpc.test_job_lists import chain_and_finish

CHILDREN = ("a", "b", "c", "d")
RESULTS = (
    types_pb2.JOB_RESULT_SUCCESS,
    types_pb2.JOB_RESULT_WARNING,
    types_pb2.JOB_RESULT_ERROR,
    types_pb2.JOB_RESULT_SUCCESS,
)
# What a reader has of a pipeline: its jobs, by number.
Jobs = dict[str, Mapping[str, Any]]


async def begun(driver: Client) -> str:
    """The number of a pipeline that waits."""
    return str((await driver.submit("noop", types_pb2.Scope())).pipeline_id)


async def run(driver: Client) -> AsyncIterator[None]:
    """All that happens to it, one change after the other."""
    yield
    (root,) = await driver.claim("noop")
    yield
    await chain_and_finish(driver, root, *CHILDREN)
    yield
    for result in RESULTS:
        (child,) = await driver.claim("noop")
        yield
        await driver.finish(child, result)
        yield


def taken(jobs: Jobs, event: Event) -> Jobs:
    """What a reader has after an event."""
    if event.name == "snapshot":
        return {job["job_id"]: job for job in event.data["jobs"]}
    if event.name != "change":
        return jobs
    changed = {job["job_id"]: job for job in event.data["jobs"]}
    left = event.data["left_job_ids"]
    return {number: job for number, job in (jobs | changed).items() if number not in left}


async def first_snapshot(http: HttpClient, path: str) -> Event:
    async with http.stream(path) as stream:
        async for event in stream.events():
            if event.name == "snapshot":
                return event
    raise AssertionError("the stream ended")


async def test_at_each_version_of_a_run_exactly_what_is_missing_is_sent(
    http: HttpClient, driver: Client
) -> None:
    path = f"/v1/pipelines/{await begun(driver)}/events"
    kept: dict[int, Jobs] = {}
    async for _ in run(driver):
        snapshot = await first_snapshot(http, path)
        kept[int(snapshot.number)] = taken({}, snapshot)
    whole, end = await all_events(http, path)
    newest = int(end.number)
    assert len(kept) == 2 + len(CHILDREN)
    for version in range(1, newest):
        *changes, last = await all_events(http, path, last_event_id=str(version))
        assert last == end
        jobs, seen = kept.get(version, {}), version
        for change in changes:
            assert (change.name, change.data["from_version"]) == ("change", str(seen))
            assert change.data["to_version"] == change.number
            if version in kept:
                # Nothing that it has already.
                assert all(jobs.get(job["job_id"]) != job for job in change.data["jobs"])
            jobs, seen = taken(jobs, change), int(change.number)
        assert seen == newest
        if version in kept:
            assert jobs == taken({}, whole)


async def test_a_reader_whose_connection_breaks_after_each_event_misses_nothing(
    http: HttpClient, driver: Client
) -> None:
    path = f"/v1/pipelines/{await begun(driver)}/events"
    reading = asyncio.create_task(in_pieces(http, path))
    async for _ in run(driver):
        pass
    async with asyncio.timeout(SECONDS_MAX):
        jobs, numbers = await reading
    assert jobs == taken({}, (await all_events(http, path))[0])
    assert numbers == sorted(set(numbers))


async def in_pieces(http: HttpClient, path: str) -> tuple[Jobs, list[int]]:
    """What one has who reads an event of each connection, and their versions."""
    jobs: Jobs = {}
    numbers: list[int] = []
    while True:
        headers = {"last_event_id": str(numbers[-1])} if numbers else {}
        async with http.stream(path, **headers) as stream:
            if stream.status == 204:
                return jobs, numbers
            events = stream.events()
            while not (event := await anext(events)).number:
                pass
        jobs = taken(jobs, event)
        if event.name == "final":
            # The last change and the end have the same version.
            return jobs, numbers
        numbers.append(int(event.number))


async def test_a_console_that_comes_back_at_each_change_has_all_rows(
    http: HttpClient, driver: Client
) -> None:
    number = await begun(driver)
    pipelines: list[Any] = []
    seen = 0
    async with http.stream(EVENTS) as stays:
        await next_update(stays.events())
        async for _ in run(driver):
            now = (await http.get(f"/v1/pipelines/{number}")).json
            wanted = (now["pipeline"]["version"], now["pipeline"]["status"], states_of(now["jobs"]))
            async with asyncio.timeout(SECONDS_MAX), http.stream(EVENTS) as stream:
                events = stream.events()
                first = await next_update(events)
                assert first.data["whole"]
                pipelines, jobs = rows_of(first, number)
                # Never older than what this browser had before.
                assert int(pipelines[-1]["version"]) >= seen
                while (
                    pipelines[-1]["version"],
                    pipelines[-1]["status"],
                    states_of(jobs),
                ) != wanted:
                    newer, more = rows_of(await next_update(events), number)
                    pipelines += newer
                    jobs += more
            seen = int(pipelines[-1]["version"])
    assert pipelines[-1]["status"] == "PIPELINE_STATUS_PARTIAL"


def rows_of(update: Event, number: str) -> tuple[list[Any], list[Any]]:
    """Its rows of a pipeline, and of the pipeline's jobs."""
    pipelines, jobs = update.data["pipelines"], update.data["jobs"]
    of_it = [one for one in pipelines if one["pipeline_id"] == number]
    return of_it, [one for one in jobs if one["pipeline_id"] == number]


def states_of(jobs: list[Any]) -> dict[str, str]:
    """The newest state of each."""
    return {job["job_id"]: job["state"] for job in jobs}
