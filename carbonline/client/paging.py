"""Lists of the contract, read page after page."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

ROWS_PER_PAGE = 1_000


class PagedRequest(Protocol):
    """A request of a list: how many rows a page may have, and where it begins."""

    page_size: int
    page_token: str


class Page(Protocol):
    """An answer of a list; its token is "" on the last page."""

    next_page_token: str


AnyRequest = TypeVar("AnyRequest", bound=PagedRequest)
AnyPage = TypeVar("AnyPage", bound=Page)
Row = TypeVar("Row")


async def each_page(
    list_rows: Callable[[AnyRequest], Awaitable[AnyPage]],
    request: AnyRequest,
    rows_of: Callable[[AnyPage], Iterable[Row]],
    rows_max: int,
) -> AsyncGenerator[tuple[list[Row], bool], None]:
    """The first `rows_max` rows of a list, a page at a time, each with whether there are more.

    `list_rows` is the call, `rows_of` takes the rows out of its answer. The page fields of
    `request` are set here. Raises what the call raises.
    """
    found, more = 0, True
    while more and found < rows_max:
        request.page_size = min(ROWS_PER_PAGE, rows_max - found)
        page = await list_rows(request)
        rows = list(rows_of(page))
        found += len(rows)
        request.page_token = page.next_page_token
        more = bool(page.next_page_token)
        yield rows, more


async def read_pages(
    list_rows: Callable[[AnyRequest], Awaitable[AnyPage]],
    request: AnyRequest,
    rows_of: Callable[[AnyPage], Iterable[Row]],
    rows_max: int,
) -> tuple[list[Row], bool]:
    """The first `rows_max` rows of a list, and whether there are more, as `each_page`."""
    found: list[Row] = []
    more = True
    async for rows, has_more in each_page(list_rows, request, rows_of, rows_max):
        found += rows
        more = has_more
    return found, more
