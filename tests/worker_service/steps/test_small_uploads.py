"""A small upload costs few commits: each is a wait for the disk."""

from tests.worker_service.steps.conftest import CDG, WorkerHarness, flights
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


async def test_a_small_upload_is_written_in_three_transactions(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(CDG))
    # The publications of its entries, of their emissions, and of the totals.
    assert await writers(harness) == 3


async def test_what_is_larger_is_loaded_before_it_is_published(harness: WorkerHarness) -> None:
    await harness.load_flights(flights(*[CDG] * (SMALL_ROWS + 1)))
    # Rows and their publication, emissions, their sums and their publication, totals.
    assert await writers(harness) == 6


async def writers(harness: WorkerHarness) -> int:
    """How many transactions have written what counts."""
    [row] = await harness.rows(WRITERS)
    count: int = row["writers"]
    return count
