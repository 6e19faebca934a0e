"""A small upload costs few commits: each is a wait for the disk."""

from tests.worker_service.steps.conftest import CDG, JFK, WorkerHarness, flights
from worker_service.steps.publishing import SMALL_ROWS

# The transactions that wrote what counts of an upload.
WRITERS = """
SELECT count(DISTINCT CAST(written.by AS text)) AS writers
FROM (
    SELECT xmin AS by FROM carbon.entries
    UNION ALL SELECT xmin FROM carbon.row_digests
    UNION ALL SELECT xmin FROM carbon.entry_sets
    UNION ALL SELECT xmin FROM carbon.emissions
    UNION ALL SELECT xmin FROM carbon.outcome_counts
    UNION ALL SELECT xmin FROM carbon.emission_sums
    UNION ALL SELECT xmin FROM carbon.emission_sets
    UNION ALL SELECT xmin FROM carbon.totals
) AS written
"""
WRITERS_OF_NEWEST_ROWS = """
SELECT count(DISTINCT CAST(written.by AS text)) AS writers
FROM (
    SELECT entry_set, xmin AS by FROM carbon.entries
    UNION ALL SELECT entry_set, xmin FROM carbon.entry_sets
) AS written
WHERE written.entry_set = (SELECT max(entry_set) FROM carbon.entry_sets)
"""


async def test_a_small_upload_is_written_in_three_transactions(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    # The publications of its entries, of their emissions, and of the totals.
    assert await writers(harness) == 3


async def test_beside_others_it_is_loaded_by_its_publication_if_they_have_no_row_of_it(
    harness: WorkerHarness,
) -> None:
    await harness.load_flights(flights(JFK), source="other")
    await harness.load_flights(flights(CDG), source="no row of it")
    assert await writers_of_newest_rows(harness) == 1
    # What has rows of others is compared with them after it was written.
    await harness.load_flights(flights(CDG, JFK), source="both rows")
    assert await writers_of_newest_rows(harness) == 2


async def test_what_is_larger_is_loaded_before_it_is_published(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(*[CDG] * (SMALL_ROWS + 1)))
    # Rows and their publication, emissions, their sums and their publication, totals.
    assert await writers(harness) == 6


async def writers(harness: WorkerHarness) -> int:
    """How many transactions have written what counts."""
    [row] = await harness.rows(WRITERS)
    count: int = row["writers"]
    return count


async def writers_of_newest_rows(harness: WorkerHarness) -> int:
    """How many transactions have written the rows of the newest set, and the set."""
    [row] = await harness.rows(WRITERS_OF_NEWEST_ROWS)
    count: int = row["writers"]
    return count
