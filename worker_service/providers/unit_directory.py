"""The institution's directory of units: a list in pages, over HTTP with a user and a password."""

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker_service.providers.access import UnitDirectoryAccess
from worker_service.providers.json_calls import Exchange, JsonCalls, NotSignedIn, json_session
from worker_service.providers.provider import Page, ProviderRefused, ProviderUnavailable, Wanted
from worker_service.providers.travel_rows import NO_FIELDS, text_of, word_of

SERVICE = "The directory of units"
PAGE_UNITS = 500
# A directory of which no page is empty would be read for ever.
PAGES_MAX = 10_000
NO_ID = "no id"


@dataclass(frozen=True, slots=True)
class UnitDirectory:
    """Implements worker_service.providers.provider.Provider, which documents each method.

    The list ends with the first page that is empty, since a directory may have pages of any size.
    One without pages is asked once.
    """

    access: UnitDirectoryAccess
    name: str = "unit-directory"
    brings: str = "units"

    @property
    def columns(self) -> Sequence[str]:
        """With the parent of each unit if the directory tells it."""
        return ("unit_institutional_id", "name", *_parent(self.access, "parent_unit_id"))

    async def pages(self, wanted: Wanted) -> AsyncGenerator[Page, None]:
        """Yields all units. A directory has no years."""
        access = self.access
        async with json_session(access.timeout_seconds) as session:
            calls = JsonCalls(
                session, SERVICE, access.url, wanted.check, access.first_pause_seconds
            )
            if access.first_page is None:
                units, total = await _units(calls, access, {}, "for its units")
                yield _rows(units, access)
                _check_total(len(units), total or 0, access)
                return
            before: Sequence[Any] = ()
            came = told = 0
            for number in range(access.first_page, access.first_page + PAGES_MAX):
                units, total = await _page(calls, access, number)
                # Units come and go while the list is read: the last answer has the last word.
                told = total if total is not None else told
                if not units:
                    _check_total(came, told, access)
                    return
                came += len(units)
                if _is_same(units, before):
                    raise ProviderRefused(
                        "pages_repeat",
                        f"{SERVICE} answers the same page again: UNIT_DIRECTORY_PAGE must name the"
                        " parameter with the number of the page; or UNIT_DIRECTORY_FIRST_PAGE must"
                        " be none, if it answers all units at once.",
                    )
                before = units
                yield _rows(units, access)
        raise ProviderRefused("too_many_pages", f"{SERVICE} has more than {PAGES_MAX:,} pages.")


def _check_total(came: int, told: int, access: UnitDirectoryAccess) -> None:
    if came < told:
        raise ProviderUnavailable(
            f'{SERVICE} tells a "{access.total}" of {told:,} units, and {came:,} came: a part of'
            " them was lost. If that number is of something else, UNIT_DIRECTORY_TOTAL must name"
            " another key."
        )


async def _page(
    calls: JsonCalls, access: UnitDirectoryAccess, number: int
) -> tuple[Sequence[Any], int | None]:
    query = {access.page: str(number), access.size: str(PAGE_UNITS)}
    return await _units(calls, access, query, f"for page {number}")


async def _units(
    calls: JsonCalls, access: UnitDirectoryAccess, query: Mapping[str, str], says: str
) -> tuple[Sequence[Any], int | None]:
    """The units of an answer, and how many there are in all, if it tells it."""
    password = await asyncio.to_thread(access.password.read)
    credentials = base64.b64encode(f"{access.user}:{password}".encode()).decode()
    exchange = Exchange(
        "GET",
        "",
        says,
        query=query,
        headers={"Authorization": f"Basic {credentials}"},
        secrets=(credentials, password),
    )
    try:
        answer = await calls.answer(exchange)
    except NotSignedIn:
        raise ProviderRefused(
            "credential_refused", f"{SERVICE} refused the user or the password."
        ) from None
    units = answer.get(access.list) if isinstance(answer, dict) and access.list else answer
    # One that is none costs no other.
    if not isinstance(units, list) or (units and not any(isinstance(one, dict) for one in units)):
        raise ProviderRefused(
            "answer_unreadable",
            f'{SERVICE} answered without a list of units in "{access.list}" when asked {says}.',
        )
    total = answer.get(access.total) if isinstance(answer, dict) else None
    is_count = isinstance(total, int) and not isinstance(total, bool)
    return units, total if is_count else None


def _is_same(units: Sequence[Any], before: Sequence[Any]) -> bool:
    try:
        return units == before
    except RecursionError:
        # What is nested so deep is in no list of units; PAGES_MAX ends it at last.
        return False


def _parent(access: UnitDirectoryAccess, name: str) -> tuple[str, ...]:
    return (name,) if access.parent else ()


def _rows(units: Sequence[Any], access: UnitDirectoryAccess) -> Page:
    records = [one for one in units if isinstance(one, dict)]
    rows = [_row(one, access) for one in records]
    there = [row for row in rows if row[0]]
    gone = {NO_FIELDS: len(units) - len(records), NO_ID: len(rows) - len(there)}
    return Page(there, {reason: count for reason, count in gone.items() if count})


def _row(record: Mapping[str, Any], access: UnitDirectoryAccess) -> tuple[str, ...]:
    # A parent that cannot be one is told as an unknown one: no parent would be the top.
    parent = (text_of(record.get(key)) for key in _parent(access, access.parent))
    return (word_of(record.get(access.id)), word_of(record.get(access.name)), *parent)
