"""`carbonline pipelines` reads on where a page is short."""

import asyncio
from types import TracebackType
from typing import Self

from carbonline.command.pipelines import matching_pipelines
from carbonline.v1 import operations_pb2, types_pb2


class Pages:
    """A server whose list has these pages: numbers of pipelines, and whether more follow."""

    def __init__(self, *pages: tuple[list[int], bool]) -> None:
        self.pages = pages
        self.asked: list[tuple[str, int]] = []

    def client(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    async def list_pipelines(
        self, *, page_size: int, page_token: str, errors_only: bool, year: int
    ) -> operations_pb2.ListPipelinesResponse:
        assert (errors_only, year) == (True, 2024)
        self.asked.append((page_token, page_size))
        numbers, more = self.pages[int(page_token or 0)]
        return operations_pb2.ListPipelinesResponse(
            pipelines=[types_pb2.Pipeline(pipeline_id=number) for number in numbers],
            next_page_token=str(int(page_token or 0) + 1) if more else "",
        )


def listed(pages: Pages, limit: int) -> tuple[list[int], bool]:
    """The numbers that are shown, and whether there are more."""
    answer = asyncio.run(matching_pipelines(pages, limit, year=2024, errors_only=True))  # type: ignore[arg-type]
    return [one.pipeline_id for one in answer.pipelines], bool(answer.next_page_token)


def test_short_and_empty_pages_are_not_the_last() -> None:
    pages = Pages(([], True), ([9, 8], True), ([], True), ([5], False))
    assert listed(pages, 50) == ([9, 8, 5], False)
    assert pages.asked == [("", 50), ("1", 50), ("2", 48), ("3", 48)]


def test_no_page_is_asked_for_beyond_the_limit() -> None:
    pages = Pages(([9], True), ([8, 7], True), ([6], False))
    assert listed(pages, 3) == ([9, 8, 7], True)
    assert len(pages.asked) == 2
