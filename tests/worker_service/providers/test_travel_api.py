"""The travel API: what is asked, what becomes of the answers, and what of each fault."""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.worker_service.providers.fake_travel_api import (
    SECRET,
    FakeTravelApi,
    error,
    served,
    trip,
)
from worker_service.providers import json_calls
from worker_service.providers.json_calls import TRIES_MAX
from worker_service.providers.provider import (
    Page,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    Wanted,
)
from worker_service.providers.secret import Secret
from worker_service.providers.travel_api import TravelApi
from worker_service.providers.travel_rows import (
    ANOTHER_YEAR,
    COLUMNS,
    COUNTED_ONLY,
    NO_AIRPORT,
    NO_TRAVELLER,
    NOT_A_FLIGHT,
    UNKNOWN_CLASS,
    UNREADABLE_DATE,
    rows_of,
)

QUERY, SIGN_IN, METADATA = "/query-datasource", "/auth/signin", "/read-metadata"


@pytest.fixture
async def fake() -> AsyncIterator[FakeTravelApi]:
    async with served(FakeTravelApi([trip()])) as fake:
        yield fake


async def fetched(fake: FakeTravelApi, **access: Any) -> list[Page]:
    provider = TravelApi(fake.access(**access))
    return [page async for page in provider.pages(Wanted(2024, lambda: None))]


def instead(fake: FakeTravelApi, path: str, *answers: web.Response | None) -> None:
    """Answers of the next requests for a path; then as usual."""
    left = list(answers)

    async def answer(request: web.Request) -> web.Response | None:
        return left.pop(0) if request.path.endswith(path) and left else None

    fake.instead = answer


def always(fake: FakeTravelApi, path: str, status: int, message: str = "") -> None:
    async def answer(request: web.Request) -> web.Response | None:
        return error(status, "1", message) if request.path.endswith(path) else None

    fake.instead = answer


async def refused(fake: FakeTravelApi, **access: Any) -> tuple[str, str]:
    with pytest.raises(ProviderRefused) as raised:
        await fetched(fake, **access)
    return raised.value.cause, str(raised.value)


async def test_a_record_becomes_a_row_of_an_activity_file(fake: FakeTravelApi) -> None:
    [page] = await fetched(fake)
    [row] = page.rows
    assert dict(zip(COLUMNS, row, strict=True)) == {
        "unit_institutional_id": "0828",
        "origin_iata": "GVA",
        "destination_iata": "CDG",
        "user_institutional_id": "385802",
        "cabin_class": "economy",
        "departure_date": "2024-05-25",
        "number_of_trips": "1",
        "kg_co2eq": "150.5",
        "note": "AN AIRLINE (XX), 125 0001",
    }
    assert page.dropped == {}


@pytest.mark.parametrize(
    ("changes", "column", "value"),
    [
        ({"kg": 0}, "kg_co2eq", "0"),
        ({"kg": 0.0}, "kg_co2eq", "0"),
        ({"kg": None}, "kg_co2eq", ""),
        ({"kg": 1e-7}, "kg_co2eq", "1e-07"),
        ({"kg": "much"}, "kg_co2eq", "much"),
        ({"centre": "0828"}, "unit_institutional_id", "0828"),
        ({"centre": "LAB-7"}, "unit_institutional_id", "LAB-7"),
        ({"centre": None}, "unit_institutional_id", ""),
        ({"date": 20240525}, "departure_date", "2024-05-25"),
        ({"traveller": 385802.0}, "user_institutional_id", "385802"),
        ({"cabin": "AIR BUSINESS CLASS"}, "cabin_class", "business"),
        ({"cabin": "AIR FIRST CLASS"}, "cabin_class", "first"),
        ({"cabin": "AIR PREMIUM ECONOMY CLASS"}, "cabin_class", "premium_economy"),
        ({"cabin": None}, "cabin_class", "economy"),
        ({"cabin": "HAMMOCK"}, "cabin_class", "economy"),
        ({"trips": 2.0}, "number_of_trips", "2"),
        ({"trips": None}, "number_of_trips", ""),
        ({"ticket": 'a,\n"b'}, "note", 'AN AIRLINE (XX), a, "b'),
        ({"trips": math.nan}, "number_of_trips", "nan"),
        ({"trips": [1]}, "number_of_trips", "[…]"),
        ({"kg": {"value": 1}}, "kg_co2eq", "{…}"),
        ({"centre": ["F0828"]}, "unit_institutional_id", "[…]"),
    ],
)
def test_a_value_of_a_record_as_a_file_would_have_it(
    changes: dict[str, Any], column: str, value: str
) -> None:
    assumed: Counter[str] = Counter()
    [row] = rows_of([trip(**changes)], 2024, Counter(), assumed)
    assert dict(zip(COLUMNS, row, strict=True))[column] == value
    assert (assumed == {UNKNOWN_CLASS: 1}) == (changes.get("cabin") == "HAMMOCK")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"transport": "Train"}, NOT_A_FLIGHT),
        ({"date": None}, UNREADABLE_DATE),
        ({"date": "2024-05-25"}, UNREADABLE_DATE),
        ({"date": "20241301"}, UNREADABLE_DATE),
        ({"date": "20230525"}, ANOTHER_YEAR),
        ({"traveller": " "}, NO_TRAVELLER),
        ({"origin": ""}, NO_AIRPORT),
        ({"to": None}, NO_AIRPORT),
        ({"to": ["CDG"]}, NO_AIRPORT),
        ({"traveller": {}}, NO_TRAVELLER),
        ({"traveller": math.nan}, NO_TRAVELLER),
        ({"date": [20240525]}, UNREADABLE_DATE),
    ],
)
def test_a_record_that_is_dropped_is_counted_by_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    dropped: Counter[str] = Counter()
    assert rows_of([trip(**changes)], 2024, dropped, Counter()) == []
    assert dropped == {reason: 1}


async def test_only_the_year_is_asked_for_and_dates_that_are_none_are_counted(
    fake: FakeTravelApi,
) -> None:
    fake.records = [trip(), trip(date="20230101"), trip(date=None), trip(date="soon")]
    [page] = await fetched(fake)
    assert (len(page.rows), page.total, page.dropped) == (1, 1, {UNREADABLE_DATE: 2})


def without(fake: FakeTravelApi, *left_out: int) -> None:
    """The service counts all records, and answers some of them."""
    there = [record for at, record in enumerate(fake.records) if at not in left_out]

    async def answer(request: web.Request) -> web.Response | None:
        is_asked = request.path.endswith(QUERY) and "filters" in (await request.json())["query"]
        return web.json_response({"data": there}) if is_asked else None

    fake.instead = answer


async def test_what_the_service_counts_is_compared_with_what_it_answers(
    fake: FakeTravelApi,
) -> None:
    fake.records = [trip(ticket="1"), trip(ticket="2"), trip(date="20240601")]
    # None of a day that was counted: a part of the answer was lost, and nothing is kept.
    without(fake, 2)
    with pytest.raises(ProviderUnavailable, match="counts 1 records of 20240601, and answered"):
        await fetched(fake)
    # One of two: counted with a warning.
    without(fake, 1)
    [page] = await fetched(fake)
    assert (len(page.rows), page.total, page.assumed) == (2, 3, {COUNTED_ONLY: 1})
    # Equal records come as one, with their trips added up.
    fake.records = [trip(trips=2), trip(), trip(date="20240601")]
    without(fake, 1)
    [page] = await fetched(fake)
    assert (len(page.rows), page.assumed) == (2, {})


async def test_the_records_come_in_pages_of_whole_days_in_the_same_order_each_time(
    fake: FakeTravelApi,
) -> None:
    fake.records = [
        trip(date=f"202401{day:02}", ticket=f"{day} {number}")
        for day in range(31, 0, -1)
        for number in (2, 1, 3)
    ]
    pages = await fetched(fake, page_records=10)
    assert [len(page.rows) for page in pages] == [9] * 10 + [3]
    assert fake.queries == 12
    fake.paths.clear()
    rows = [row for page in pages for row in page.rows]
    again = [row for page in await fetched(fake, page_records=10) for row in page.rows]
    assert again == rows == sorted(rows, key=lambda row: row[5])


async def test_a_session_that_ends_in_the_middle_is_opened_again(fake: FakeTravelApi) -> None:
    fake.records = [trip(date=f"202401{day:02}") for day in range(1, 31)]
    fake.session_requests = 3
    pages = await fetched(fake, page_records=5)
    assert sum(len(page.rows) for page in pages) == 30
    assert len(fake.claims) == 3


async def test_a_service_that_forgets_each_session_is_not_asked_for_ever(
    fake: FakeTravelApi,
) -> None:
    fake.session_requests = 0
    assert (await refused(fake))[0] == "credential_refused"
    assert len(fake.claims) == 2


@pytest.mark.parametrize("path", [SIGN_IN, METADATA, QUERY])
async def test_a_fault_that_passes_is_met_with_more_tries(fake: FakeTravelApi, path: str) -> None:
    instead(fake, path, error(503, "1", "busy"), error(429, "2", "too many"), None)
    [page] = await fetched(fake)
    assert len(page.rows) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_fault_that_stays_temporary_ends_after_some_tries(
    fake: FakeTravelApi, status: int
) -> None:
    always(fake, QUERY, status, "not now")
    with pytest.raises(ProviderUnavailable, match=rf"answered {status} \(1: not now\) when asked"):
        await fetched(fake)
    assert fake.queries == TRIES_MAX


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 418])
async def test_a_refusal_is_final_at_once(fake: FakeTravelApi, status: int) -> None:
    always(fake, QUERY, status, "never")
    cause, message = await refused(fake)
    assert (cause, fake.queries) == ("service_refused", 1)
    assert message == f"The travel API answered {status} (1: never) when asked which dates it has."


async def test_a_redirect_is_not_followed_since_it_takes_the_credentials_along(
    fake: FakeTravelApi,
) -> None:
    moved = error(307, "1", "moved")
    moved.headers["Location"] = "/elsewhere"
    instead(fake, SIGN_IN, moved)
    assert (await refused(fake))[0] == "service_refused"
    assert "/elsewhere" not in fake.paths


async def test_the_pause_that_the_service_asks_for_is_made(
    fake: FakeTravelApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def slept(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr("worker_service.providers.json_calls.asyncio.sleep", slept)
    busy = error(429, "1", "")
    busy.headers["Retry-After"] = "7"
    instead(fake, QUERY, busy)
    await fetched(fake)
    assert pauses == [7.0]


async def test_a_wrong_secret_is_a_clear_refusal_after_one_try(fake: FakeTravelApi) -> None:
    cause, message = await refused(fake, secret=Secret("X", "wrong" * 10))
    assert cause == "credential_refused"
    assert "secret" in message
    assert "wrong or has expired" in message
    assert fake.paths == ["/api/3.24/auth/signin"]


async def test_a_secret_stands_in_a_file_that_is_read_each_time(
    fake: FakeTravelApi, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    secret = Secret("CARBONLINE_TRAVEL_API_SECRET", file=file)
    cause, message = await refused(fake, secret=secret)
    assert cause == "credential_missing"
    assert "CARBONLINE_TRAVEL_API_SECRET_FILE" in message
    assert str(file) not in message
    file.write_text("\n", "utf-8")
    assert (await refused(fake, secret=secret))[0] == "credential_missing"
    file.write_text(f"{SECRET}\n", "utf-8")
    assert len(await fetched(fake, secret=secret)) == 1


async def test_no_credential_is_repeated_whatever_the_service_answers(fake: FakeTravelApi) -> None:
    async def echo(request: web.Request) -> web.Response | None:
        if request.path.endswith(QUERY):
            return error(400, "1", f"no {request.headers['X-Tableau-Auth']}")
        return None

    fake.instead = echo
    _, message = await refused(fake)
    assert "token-1" not in message
    assert "(1: no ***)" in message

    async def echo_jwt(request: web.Request) -> web.Response | None:
        return error(400, "1", (await request.json())["credentials"]["jwt"][-150:] + SECRET)

    fake.instead = echo_jwt
    _, message = await refused(fake)
    assert SECRET not in message
    for shown in (repr(fake.access()), str(fake.access())):
        assert SECRET not in shown


async def test_captions_that_are_missing_are_named_before_anything_is_asked(
    fake: FakeTravelApi,
) -> None:
    fake.captions = tuple(
        one for one in fake.captions if one not in {"SCIPER", "OUT_CO2_CORRECTED"}
    )
    cause, message = await refused(fake)
    assert cause == "captions_missing"
    assert 'has no field "OUT_CO2_CORRECTED", "SCIPER"' in message
    assert fake.queries == 0


@pytest.mark.parametrize("text", ["<html>", "[]", '{"data": 1}', '{"data": [1]}', "", "[" * 99_999])
@pytest.mark.parametrize("path", [SIGN_IN, METADATA, QUERY])
async def test_an_answer_of_another_form_is_a_clear_refusal(
    fake: FakeTravelApi, path: str, text: str
) -> None:
    instead(fake, path, web.Response(text=text))
    cause, message = await refused(fake)
    assert cause == "answer_unreadable"
    assert message.startswith("The travel API answered ")


async def test_an_answer_has_a_largest_size(
    fake: FakeTravelApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_calls, "ANSWER_BYTES_MAX", 10_000)
    fake.records = [trip(ticket=str(number)) for number in range(100)]
    assert (await refused(fake))[0] == "answer_too_large"


async def test_a_slow_service_ends_with_a_sentence(fake: FakeTravelApi) -> None:
    released = asyncio.Event()

    async def hang(_request: web.Request) -> web.Response | None:
        await released.wait()
        return None

    fake.instead = hang
    # A busy machine may send a request too late for its own deadline.
    said = f"did not answer in time when asked to sign in. {TRIES_MAX} tries were made"
    with pytest.raises(ProviderUnavailable, match=said):
        await fetched(fake, timeout_seconds=0.05)
    released.set()


async def test_nobody_listening_is_a_fault_that_passes() -> None:
    async with served(FakeTravelApi()) as gone:
        pass
    with pytest.raises(ProviderUnavailable, match="ClientConnectorError"):
        await fetched(gone)


async def test_rows_that_are_no_longer_wanted_are_not_asked_for(fake: FakeTravelApi) -> None:
    fake.records = [trip(date=f"202401{day:02}") for day in range(1, 31)]

    class Stopped(Exception):
        pass

    def check() -> None:
        if fake.queries == 2:
            raise Stopped

    provider = TravelApi(fake.access(page_records=5))
    with pytest.raises(Stopped):
        [page async for page in provider.pages(Wanted(2024, check))]
    assert fake.queries == 2


def test_errors_of_a_provider_are_one_family() -> None:
    assert issubclass(ProviderRefused, ProviderError)
    assert issubclass(ProviderUnavailable, ProviderError)
