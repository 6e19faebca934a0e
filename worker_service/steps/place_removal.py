"""Removes places of a transport mode: those that are named, or those that are stale."""

from collections.abc import Sequence

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import place_columns
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import comparison_key
from worker_service.ledger.entry_sets import years_with_entries
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.input_versions import reference_input
from worker_service.ledger.job_answers import first_answer, has_answered
from worker_service.ledger.locations import KIND, known_codes, remove_locations, stale_codes
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.usage import PlaceColumns, usage_of_places
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.follow_ups import chain_follow_ups
from worker_service.steps.input_file import Refusal
from worker_service.steps.large_changes import refuse_large_changes
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores
from worker_service.steps.taking_away import (
    REMOVE_STALE,
    has_consent,
    named_in_short,
    names_to_remove,
    refuse_what_is_used,
)


async def remove_places(stores: Stores, run: Run, transport_mode: str, mode: str) -> Outcome:
    """Remove the stale places of a transport mode, or those whose codes the payload lists.

    All of them or none. If entries use them, or more than half of the kilograms of a type and year
    would go, that needs consent. Raises Refusal.
    """
    job, ledger = run.job, stores.ledger
    await close_ledger_scopes(ledger, job.tenant, job.close_through)
    async with ledger.snapshot() as conn:
        codes: Sequence[str]
        if await has_answered(conn, job.tenant, job.job_id):
            codes = []
        elif mode == REMOVE_STALE:
            codes = await stale_codes(conn, job.tenant, transport_mode)
        else:
            codes = await _named(conn, job, transport_mode)
    if not has_consent(job):
        run.progress(0, 0, "look for entries that use what goes")
        instead = "Correct the entries first, or allow the removal"
        await refuse_used_places(ledger, job.tenant, transport_mode, codes, instead)

    async def remove(conn: Connection) -> int:
        gone = await remove_locations(conn, job.tenant, transport_mode, codes, job.claim_token)
        kept = await first_answer(conn, job.tenant, job.job_id, job.claim_token, {"removed": gone})
        return int(kept["removed"])

    readers = await slices_with_places(ledger, job.tenant, transport_mode)
    await refuse_large_changes(ledger, run, readers, reference_input(KIND), remove)
    await chain_follow_ups(run, ledger)
    removed = await publish(run, ledger, [f"reference/{KIND}"], remove)
    stale = "stale place" if mode == REMOVE_STALE else "place"
    were = "was" if removed == 1 else "were"
    return Succeeded({"places_removed": removed}, f"{pluralize(removed, stale)} {were} removed.")


async def refuse_used_places(
    ledger: Ledger, tenant: str, transport_mode: str, codes: Sequence[str], instead: str = ""
) -> None:
    """Raise Refusal if entries use one of some places. `instead` says what to do about it."""
    readers = [
        PlaceColumns(data_entry_type, columns, excused_by)
        for data_entry_type, columns, excused_by in place_columns(transport_mode)
    ]
    if not codes:
        return
    async with ledger.snapshot() as conn:
        usage = await usage_of_places(conn, tenant, readers, codes)
    said = {"instead": instead} if instead else {}
    refuse_what_is_used("places_in_use", "place", len(codes), usage, str.upper, **said)


async def slices_with_places(ledger: Ledger, tenant: str, transport_mode: str) -> list[FactorSlice]:
    """The types and years with entries whose formula reads places of this mode."""
    return [
        FactorSlice(tenant, data_entry_type, year)
        for data_entry_type, *_ in place_columns(transport_mode)
        for year in await years_with_entries(ledger, tenant, data_entry_type)
    ]


async def _named(conn: Connection, job: ClaimedJob, transport_mode: str) -> Sequence[str]:
    """The codes of the payload as they are stored, each once. Raises Refusal for an unknown one."""
    wanted = names_to_remove(job, "codes", "places")
    keys = dict.fromkeys(map(comparison_key, wanted))
    known = await known_codes(conn, job.tenant, transport_mode, list(keys))
    unknown = [code for code in wanted if comparison_key(code) not in known]
    if unknown:
        no = "is not the code of a place" if len(unknown) == 1 else "are not codes of places"
        raise Refusal(
            "unknown_place",
            f"Nothing was changed: {named_in_short(map(shown_text, unknown))} {no}."
            " `carbonline locations` lists those that are.",
        )
    return list(keys)
