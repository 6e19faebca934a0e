"""Lists are read page after page, up to a bound, and what lies behind it is told."""

import pytest

from carbonline.client.paging import ROWS_PER_PAGE, read_pages
from carbonline.v1 import ledger_pb2


class Uploads:
    """A list of uploads, numbered from 1, that answers as the ledger process does."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.sizes: list[int] = []

    async def list_uploads(
        self, request: ledger_pb2.ListUploadsRequest
    ) -> ledger_pb2.ListUploadsResponse:
        self.sizes.append(request.page_size)
        first = int(request.page_token or 1)
        after = min(first + request.page_size, self._count + 1)
        uploads = [ledger_pb2.Upload(upload_id=number) for number in range(first, after)]
        token = str(after) if after <= self._count else ""
        return ledger_pb2.ListUploadsResponse(uploads=uploads, next_page_token=token)


@pytest.mark.parametrize(
    ("count", "rows_max", "sizes", "more"),
    [
        (0, 50, [50], False),
        (50, 50, [50], False),
        (51, 50, [50], True),
        (2_500, 10_000, [ROWS_PER_PAGE] * 3, False),
        (2_500, 2_001, [ROWS_PER_PAGE, ROWS_PER_PAGE, 1], True),
    ],
)
async def test_rows_come_in_pages_up_to_a_bound_and_it_is_said_whether_there_are_more(
    count: int, rows_max: int, sizes: list[int], more: bool
) -> None:
    listed = Uploads(count)
    found, is_cut = await read_pages(
        listed.list_uploads, ledger_pb2.ListUploadsRequest(), lambda page: page.uploads, rows_max
    )
    assert [one.upload_id for one in found] == list(range(1, min(count, rows_max) + 1))
    assert (listed.sizes, is_cut) == (sizes, more)
