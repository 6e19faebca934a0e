"""Whether what would follow an upload that changes nothing is done already."""

from worker_service.carbon.outcomes import BOOKED
from worker_service.ledger.doubts import has_doubts
from worker_service.ledger.emission_sets import EmissionSlice, count_outcomes
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.freshness import is_fresh
from worker_service.ledger.pool import Ledger
from worker_service.ledger.uploads import has_same_rows
from worker_service.steps.stale_in_use import stale_in_use


async def follow_ups_are_done(ledger: Ledger, new: NewSet, digest: str) -> bool:
    """Whether a set has the rows of the upload that it would replace, and the totals contain them.

    False too where the recalculation would warn of something: whoever repeats an upload is told
    again. What others change from now on has its own follow-ups.
    """
    async with ledger.snapshot() as conn:
        if not await has_same_rows(conn, new, digest):
            return False
        if not await is_fresh(conn, new.tenant, new.data_entry_type, new.year):
            return False
        of = EmissionSlice(new.tenant, new.module, new.data_entry_type, new.year)
        if await has_doubts(conn, of):
            return False
        if (await count_outcomes(conn, of)).keys() - set(BOOKED):
            return False
        return not await stale_in_use(conn, of.factors)
