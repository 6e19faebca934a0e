"""Whether what would follow a file that changes nothing is done already."""

from collections.abc import Awaitable, Callable, Sequence

from worker_service.carbon.catalogue import module_of
from worker_service.carbon.outcomes import BOOKED
from worker_service.ledger.doubts import has_doubts
from worker_service.ledger.emission_sets import EmissionSlice, count_outcomes
from worker_service.ledger.entry_sets import NewSet
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.freshness import is_fresh
from worker_service.ledger.input_versions import factors_input, newest_change
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.rehearsal import rehearsal
from worker_service.ledger.uploads import has_same_rows
from worker_service.steps.stale_in_use import stale_in_use


async def follow_ups_are_done(conn: Connection, new: NewSet, digest: str) -> bool:
    """Whether a set has the rows of the upload that it would replace, and the totals contain them.

    False too where the recalculation would warn of something: whoever repeats an upload is told
    again. What others change from now on has its own follow-ups. Call it within a snapshot.
    """
    if not await has_same_rows(conn, new, digest):
        return False
    of = EmissionSlice(new.tenant, new.module, new.data_entry_type, new.year)
    return await _totals_are_done(conn, of)


async def factors_are_done(
    ledger: Ledger, of: FactorSlice, token: int, save: Callable[[Connection], Awaitable[object]]
) -> bool:
    """Whether `save`, of the claim of `token`, would change no factor, and the totals contain all.

    It is run in a transaction that is rolled back. False as `follow_ups_are_done`.
    """
    if not await totals_are_done(ledger, [of]):
        return False
    async with rehearsal(ledger) as conn:
        await save(conn)
        return not await has_changed_factors(conn, of, token)


async def totals_are_done(ledger: Ledger, slices: Sequence[FactorSlice]) -> bool:
    """Whether the totals contain all of these types and years. False as `follow_ups_are_done`."""
    async with ledger.snapshot() as conn:
        for of in slices:
            module = module_of(of.data_entry_type).id
            emissions = EmissionSlice(of.tenant, module, of.data_entry_type, of.year)
            if not await _totals_are_done(conn, emissions):
                return False
    return True


async def has_changed_factors(conn: Connection, of: FactorSlice, token: int) -> bool:
    """Whether the claim of `token` was the last to change factors. Call it in its transaction."""
    versioned = factors_input(of.data_entry_type, of.year)
    return await newest_change(conn, of.tenant, [versioned]) == token


async def _totals_are_done(conn: Connection, of: EmissionSlice) -> bool:
    if not await is_fresh(conn, of.tenant, of.data_entry_type, of.year):
        return False
    if await has_doubts(conn, of):
        return False
    if (await count_outcomes(conn, of)).keys() - set(BOOKED):
        return False
    return not await stale_in_use(conn, of.factors)
