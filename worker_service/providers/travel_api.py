"""The travel API: a published data source behind HTTP (Tableau, VizQL Data Service)."""

import asyncio
import time
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jwt

from worker_service.providers.access import TravelApiAccess
from worker_service.providers.json_calls import (
    Exchange,
    JsonCalls,
    NotSignedIn,
    json_session,
)
from worker_service.providers.provider import Page, ProviderRefused, ProviderUnavailable, Wanted
from worker_service.providers.travel_rows import (
    CAPTIONS,
    COLUMNS,
    COUNTED_ONLY,
    DATE,
    NO_FIELDS,
    TRAVELLER,
    UNREADABLE_DATE,
    day_of,
    rows_of,
    text_of,
    trips_of,
)

SERVICE = "The travel API"
TOKEN_SECONDS = 300
# No day has more, whatever the service says.
DAY_RECORDS_MAX = 100_000_000
_DAYS_SHOWN_MAX = 3
_QUERIES = "/api/v1/vizql-data-service"
_COUNT, _TRAVELLERS = "records", "travellers"


@dataclass(frozen=True, slots=True)
class TravelApi:
    """Implements worker_service.providers.provider.Provider, which documents each method.

    First it asks which dates there are, with their number of records, and then for the records of
    some dates at a time: the service has no pages of its own.
    """

    access: TravelApiAccess
    name: str = "travel-api"
    brings: str = "plane"
    columns: Sequence[str] = COLUMNS

    async def pages(self, wanted: Wanted) -> AsyncGenerator[Page, None]:
        """Yields the flights of a year."""
        access = self.access
        async with json_session(access.timeout_seconds) as session:
            calls = JsonCalls(
                session, SERVICE, access.url, wanted.check, access.first_pause_seconds
            )
            service = _SignedIn(calls, access)
            await service.check_captions()
            dates = await service.dates(wanted.year)
            dropped = Counter({UNREADABLE_DATE: dates.unreadable} if dates.unreadable else {})
            for counts in dates.pages(access.page_records):
                records, others = await service.records([value for value, _ in counts])
                lost = _lost(counts, records, others)
                assumed = Counter({COUNTED_ONLY: lost} if lost else {})
                dropped.update({NO_FIELDS: others} if others else {})
                rows = await asyncio.to_thread(rows_of, records, wanted.year, dropped, assumed)
                yield Page(rows, dict(dropped), dict(assumed), dates.total)
                dropped.clear()
            if dropped:
                yield Page([], dict(dropped))


@dataclass(frozen=True, slots=True)
class _Dates:
    """The dates of a year as the service has them, in order, each with its number of records.

    `unreadable` counts the records whose date is none.
    """

    counts: Sequence[tuple[Any, int]]
    unreadable: int

    @property
    def total(self) -> int:
        """How many records the year has."""
        return sum(count for _, count in self.counts)

    def pages(self, records_max: int) -> list[list[tuple[Any, int]]]:
        """The dates in groups of so many records; a single date may have more."""
        pages: list[list[tuple[Any, int]]] = []
        held = 0
        for value, count in self.counts:
            if not pages or held + count > records_max:
                pages.append([])
                held = 0
            pages[-1].append((value, count))
            held += count
        return pages


class _SignedIn:
    """Asks as a signed-in user, and signs in again when the service has forgotten that."""

    def __init__(self, calls: JsonCalls, access: TravelApiAccess) -> None:
        self._calls = calls
        self._access = access
        self._token = ""

    async def check_captions(self) -> None:
        """Raises ProviderRefused unless the data source has all fields."""
        answer = await self._asked("read-metadata", "which fields it has", {})
        captions = [field.get("fieldCaption") for field in _all_records(answer)]
        there = {caption for caption in captions if isinstance(caption, str)}
        if missing := [caption for caption in CAPTIONS if caption not in there]:
            names = ", ".join(f'"{caption}"' for caption in missing)
            raise ProviderRefused(
                "captions_missing",
                f"The data source of the travel API has no field {names}: who maintains it has"
                " renamed or removed it.",
            )

    async def dates(self, year: int) -> _Dates:
        """The dates of a year.

        A count leaves out the records that have no value in its field. The records of a date have
        that date. Of those without a date, the ones with a traveller are counted.
        """
        fields = [
            {"fieldCaption": DATE},
            {"fieldCaption": DATE, "function": "COUNT", "fieldAlias": _COUNT},
            {"fieldCaption": TRAVELLER, "function": "COUNT", "fieldAlias": _TRAVELLERS},
        ]
        counts: Counter[Any] = Counter()
        unreadable = 0
        answer = await self._queried("which dates it has", {"fields": fields})
        for group in _all_records(answer):
            value, number = group.get(DATE), _count(group.get(_COUNT))
            if (day := day_of(value)) is None:
                unreadable += max(number, _count(group.get(_TRAVELLERS)))
            elif day.year == year:
                counts[value] += number
        return _Dates(sorted(counts.items(), key=lambda pair: str(pair[0])), unreadable)

    async def records(self, dates: Sequence[Any]) -> tuple[list[Mapping[str, Any]], int]:
        """All records of some dates, and how many more have no fields."""
        query = {
            "fields": [{"fieldCaption": caption} for caption in CAPTIONS],
            "filters": [
                {"field": {"fieldCaption": DATE}, "filterType": "SET", "values": list(dates)}
            ],
        }
        there = _data(await self._queried(f"for the flights of {dates[0]} to {dates[-1]}", query))
        records: list[Mapping[str, Any]] = [one for one in there if isinstance(one, dict)]
        return records, len(there) - len(records)

    async def _queried(self, says: str, query: Mapping[str, Any]) -> Any:
        more = {"query": query, "options": {"returnFormat": "OBJECTS"}}
        return await self._asked("query-datasource", says, more)

    async def _asked(self, what: str, says: str, more: Mapping[str, Any]) -> Any:
        source = {"datasourceLuid": self._access.datasource}
        exchange = Exchange("POST", f"{_QUERIES}/{what}", says, {"datasource": source, **more})
        for _ in range(2):
            if not self._token:
                await self._sign_in()
            signed = replace(
                exchange, headers={"X-Tableau-Auth": self._token}, secrets=(self._token,)
            )
            try:
                return await self._calls.answer(signed)
            except NotSignedIn:
                # The session may have ended in the middle: its age is not ours to know.
                self._token = ""
        raise ProviderRefused(
            "credential_refused",
            f"{SERVICE} refused the session that it had just opened, when asked {says}:"
            " see whether its user may still read this data source.",
        )

    async def _sign_in(self) -> None:
        access = self._access
        secret = await asyncio.to_thread(access.secret.read)
        now = int(time.time())
        claims = {
            "iss": access.client_id,
            "sub": access.user,
            "aud": "tableau",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": str(uuid.uuid4()),
            "scp": ["tableau:viz_data_service:read"],
        }
        signed = jwt.encode(claims, secret, "HS256", headers={"kid": access.secret_id})
        exchange = Exchange(
            "POST",
            f"/api/{access.rest_version}/auth/signin",
            "to sign in",
            {"credentials": {"jwt": signed, "site": {"contentUrl": access.site}}},
            secrets=(signed, secret),
        )
        try:
            answer = await self._calls.answer(exchange)
            token = answer["credentials"]["token"]
        except NotSignedIn:
            raise ProviderRefused(
                "credential_refused",
                f"{SERVICE} refused to sign in: its client id, secret id, secret or user is wrong"
                " or has expired, or this machine's clock is.",
            ) from None
        except (KeyError, TypeError) as error:
            raise _not_understood("to sign in") from error
        if not isinstance(token, str) or not token or not token.isprintable():
            raise _not_understood("to sign in")
        self._token = token


def _lost(
    counts: Sequence[tuple[Any, int]], records: Sequence[Mapping[str, Any]], others: int
) -> int:
    """How many of the records that were counted of some dates did not come: neither as records of
    their own, nor added up with equal ones. `others` came without fields.

    Raises ProviderUnavailable for dates of which none came.
    """
    there = {day_of(record.get(DATE)) for record in records}
    silent = [(value, count) for value, count in counts if day_of(value) not in there]
    if sum(count for _, count in silent) > others:
        days = ", ".join(text_of(value) for value, _ in silent[:_DAYS_SHOWN_MAX])
        more = f" and {len(silent) - _DAYS_SHOWN_MAX} more" if silent[_DAYS_SHOWN_MAX:] else ""
        raise ProviderUnavailable(
            f"{SERVICE} counts {sum(count for _, count in silent):,} records of {days}{more}, and"
            " answered none of them: a part of its answer was lost."
        )
    came = sum(map(trips_of, records)) + others
    return max(0, sum(count for _, count in counts) - came)


def _data(answer: Any) -> list[Any]:
    there = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(there, list):
        raise _not_understood("for its data")
    return there


def _all_records(answer: Any) -> list[Mapping[str, Any]]:
    """What is a record in the answer to a question about the data source: one at least, if any."""
    there = _data(answer)
    records: list[Mapping[str, Any]] = [one for one in there if isinstance(one, dict)]
    if there and not records:
        raise _not_understood("for its data")
    return records


def _count(value: Any) -> int:
    """How many records a group has: one at least, whatever the service says."""
    is_count = isinstance(value, (int, float)) and 1 <= value <= DAY_RECORDS_MAX
    return int(value) if is_count else 1


def _not_understood(says: str) -> ProviderRefused:
    return ProviderRefused(
        "answer_unreadable", f"{SERVICE} answered in a form that is not its own when asked {says}."
    )
