"""Whatever JSON a service answers: the job ends in words, at its first attempt, and what counted
before counts unless rows of the service take its place.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carbonline.client.json_struct import values_of
from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.worker_service.providers.fake_travel_api import FakeTravelApi, served, trip
from tests.worker_service.steps.conftest import PLANE, TRAVEL, YEAR, WorkerHarness
from tests.worker_service.steps.first_attempts import GENERATED, try_once
from tests.worker_service.steps.test_unit_directory import Directory
from tests.worker_service.steps.test_unit_directory import served as served_directory
from worker_service.providers.travel_api import TravelApi
from worker_service.providers.travel_rows import CAPTIONS, DATE
from worker_service.providers.unit_directory import UnitDirectory
from worker_service.worker import steps_of

CAUSES = {
    "answer_unreadable",
    "captions_missing",
    "most_would_go",
    "no_rows",
    "no_valid_rows",
    "pages_repeat",
    "service_refused",
    "units_not_a_tree",
    # Of records that a service counts, and of which it answers none, the job asks once more.
    "would_try_again",
}
LONG = "x" * ((1 << 20) + 1)
# Half of a letter, what ends lines in some files, digits that are none of ASCII, a formula.
TEXTS = ["", " ", "0828", "GVA", "20240525", "\ud800", "a\0b", "\x1a", "\r", '"', "'1'", "٣", "=1"]
NUMBERS = [float("nan"), float("inf"), -float("inf"), 10**30, -1, 1e308, 10**400]
PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
    st.text(st.characters(), max_size=8),
    st.just(LONG),
)
DEEP = st.integers(1, 900).map(lambda depth: json.loads("[" * depth + "]" * depth))
JSON = st.one_of(
    PLAIN,
    DEEP,
    st.recursive(
        PLAIN,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=5,
    ),
)


def mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """In one of eight cases anything. Behind it nothing else of a service is read."""
    return st.integers(0, 7).flatmap(lambda number: JSON if number == 7 else good)


def odd_records(usual: dict[str, Any], names: Sequence[str]) -> st.SearchStrategy[Any]:
    """A good record, one in which some values are others, or anything."""
    changes = st.dictionaries(st.sampled_from(names), JSON, max_size=3)
    return mostly(changes.map(lambda odd: {**usual, **odd}))


GROUP = {DATE: "20240525", "records": 1, "travellers": 1}
FIELDS = [{"fieldCaption": caption} for caption in CAPTIONS]
CAPTION = {"fieldCaption": "another"}
TRAVEL_ANSWERS = st.tuples(
    mostly(
        st.lists(odd_records(CAPTION, list(CAPTION)), max_size=2).map(
            lambda odd: {"data": [*FIELDS, *odd]}
        )
    ),
    mostly(
        st.lists(odd_records(GROUP, list(GROUP)), max_size=3).map(
            lambda odd: {"data": [GROUP, *odd]}
        )
    ),
    mostly(
        st.lists(odd_records(trip(), CAPTIONS), min_size=1, max_size=4).map(
            lambda odd: {"data": odd}
        )
    ),
)
UNIT = {"id": "0828", "name": "Physics", "upper": ""}
PAGE = st.lists(odd_records(UNIT, list(UNIT)), min_size=1, max_size=4)
UNIT_PAGES = st.lists(mostly(PAGE), min_size=1, max_size=2)
PUBLISHED = """
SELECT entry_set, row_count FROM carbon.entry_sets WHERE state = 'PUBLISHED' ORDER BY entry_set
"""
FUZZ: dict[str, Any] = {
    "deadline": None,
    "database": None,
    # One worker for all examples: that the odd ones before did it no harm is the point.
    "suppress_health_check": list(HealthCheck),
}


class Service:
    """A harness whose worker asks a travel API and a directory that answer anything."""

    def __init__(self, harness: WorkerHarness, fake: FakeTravelApi, directory: Directory) -> None:
        self.harness, self.fake, self.directory = harness, fake, directory
        stores, flights = harness.stores, TravelApi(fake.access())
        units = UnitDirectory(directory.access(parent="upper"))
        harness.steps |= dict(steps_of(stores, [flights, units]))
        try_once(harness.steps)

    async def flights(self, answers: Sequence[Any]) -> types_pb2.Job:
        left = [web.Response(text=json.dumps(one)) for one in answers]

        async def answer(request: web.Request) -> web.Response | None:
            return left.pop(0) if left and "/auth/" not in request.path else None

        self.fake.instead = answer if left else None
        return await self._ended(
            "api_ingest", "travel-api", module=TRAVEL, data_entry_type=PLANE, year=YEAR
        )

    async def units(self, pages: list[Any]) -> types_pb2.Job:
        self.directory.pages = pages
        return await self._ended("unit_sync", "unit-directory", year=YEAR)

    async def _ended(self, job_type: str, provider: str, **scope: int) -> types_pb2.Job:
        said = {"provider": provider}
        sent = await self.harness.submit(job_type, None, payload=said, **scope)
        view: PipelineView = await self.harness.ended(sent)
        return view.in_order()[0]


@pytest.fixture
async def service(idle_harness: WorkerHarness) -> AsyncIterator[Service]:
    async with _ready(idle_harness) as ready:
        yield ready


@asynccontextmanager
async def _ready(harness: WorkerHarness) -> AsyncIterator[Service]:
    fake, directory = FakeTravelApi([trip(), trip(ticket="2")]), Directory([[UNIT]])
    async with served(fake), served_directory(directory):
        service = Service(harness, fake, directory)
        async with harness.working():
            await service.units([[UNIT]])
            await harness.load_places()
            await harness.load_factors()
            await service.flights([])
            yield service


def ends_in_words(job: types_pb2.Job) -> None:
    assert job.attempts == 1, job
    assert job.message.endswith((".", "?")), job
    if job.result == types_pb2.JOB_RESULT_ERROR:
        assert job.error_cause in CAUSES, job


async def flights_end_in_words(service: Service, answers: Sequence[Any]) -> None:
    before = [tuple(row) for row in await service.harness.rows(PUBLISHED)]
    job = await service.flights(answers)
    after = [tuple(row) for row in await service.harness.rows(PUBLISHED)]
    ends_in_words(job)
    if job.result == types_pb2.JOB_RESULT_ERROR:
        assert after == before
    else:
        assert [count for _, count in after] == [values_of(job.stats)["rows_accepted"]]


async def units_end_in_words(service: Service, pages: list[Any]) -> None:
    query = "SELECT count(*) FROM carbon.units"
    [before] = await service.harness.rows(query)
    job = await service.units(pages)
    [after] = await service.harness.rows(query)
    ends_in_words(job)
    assert after[0] >= before[0], "a unit that was there has gone"


@settings(**FUZZ, derandomize=True, phases=GENERATED, max_examples=40)
@given(answers=TRAVEL_ANSWERS)
async def test_odd_flights_of_a_service_end_in_words(service: Service, answers: Any) -> None:
    await flights_end_in_words(service, answers)


@settings(**FUZZ, derandomize=True, phases=GENERATED, max_examples=40)
@given(pages=UNIT_PAGES)
async def test_odd_units_of_a_directory_end_in_words(service: Service, pages: Any) -> None:
    await units_end_in_words(service, pages)


@pytest.mark.slow
@settings(**FUZZ, max_examples=200)
@given(answers=TRAVEL_ANSWERS, pages=UNIT_PAGES)
async def test_odd_answers_end_in_words_at_length(
    service: Service, answers: Any, pages: Any
) -> None:
    await flights_end_in_words(service, answers)
    await units_end_in_words(service, pages)
