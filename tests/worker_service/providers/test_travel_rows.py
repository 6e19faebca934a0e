"""Odd records, counts and captions of the travel API: none of them costs the others."""

import json
import math
from typing import Any

import pytest
from aiohttp import web

from tests.worker_service.providers.fake_travel_api import FakeTravelApi, trip
from tests.worker_service.providers.test_travel_api import METADATA, QUERY, fake, fetched, instead
from worker_service.providers.travel_rows import DATE, NO_FIELDS, UNREADABLE_DATE

__all__ = ["fake"]


async def test_records_are_counted_whatever_their_other_fields_have(fake: FakeTravelApi) -> None:
    fake.records = [
        trip(date=f"202401{day:02}", ticket=f"{day} {number}", kg=None, traveller=None)
        for day in range(1, 21)
        for number in range(3)
    ]
    pages = await fetched(fake, page_records=9)
    assert (fake.queries, {page.total for page in pages}) == (1 + 7, {60})


@pytest.mark.parametrize("count", [math.nan, math.inf, -1, 0, None, "3", [], True, 10**400])
async def test_a_count_that_is_none_is_taken_for_one(fake: FakeTravelApi, count: Any) -> None:
    groups = [
        {DATE: "20240525", "records": count},
        {DATE: None, "records": count, "travellers": count},
        7,
    ]
    instead(fake, QUERY, web.Response(text=json.dumps({"data": groups})))
    [page] = await fetched(fake)
    assert (page.total, len(page.rows), page.dropped) == (1, 1, {UNREADABLE_DATE: 1})


@pytest.mark.parametrize("odd", [None, 1, "x", [], [[]]])
async def test_a_record_that_is_none_is_counted_and_costs_no_other(
    fake: FakeTravelApi, odd: Any
) -> None:
    for records, rows in (([odd, trip()], 1), ([odd], 0)):
        instead(fake, QUERY, None, web.Response(text=json.dumps({"data": records})))
        [page] = await fetched(fake)
        assert (len(page.rows), page.dropped) == (rows, {NO_FIELDS: 1})


async def test_a_caption_that_is_none_hides_no_other(fake: FakeTravelApi) -> None:
    fields = [{"fieldCaption": one} for one in [["a"], None, *fake.captions]]
    instead(fake, METADATA, web.Response(text=json.dumps({"data": fields})))
    assert len(await fetched(fake)) == 1


async def test_a_number_of_thousands_of_digits_costs_no_other_record(fake: FakeTravelApi) -> None:
    records = json.dumps({"data": [trip(), trip(trips="DIGITS")]})
    long = records.replace('"DIGITS"', "9" * 5_000)
    instead(fake, QUERY, None, web.Response(text=long))
    [page] = await fetched(fake)
    assert [len(row[6]) for row in page.rows] == [1, 5_000]
