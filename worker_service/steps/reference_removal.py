"""Removes reference data of one kind: rows that are named, or those that are stale."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import comparison_key
from worker_service.ledger.entry_sets import years_with_entries
from worker_service.ledger.factors import FactorSlice
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.input_versions import reference_input
from worker_service.ledger.job_answers import first_answer, has_answered
from worker_service.ledger.pool import Connection, Ledger
from worker_service.ledger.usage import PlaceColumns, usage_of_places
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run
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


@dataclass(frozen=True, slots=True)
class Removable:
    """Reference data of a tenant that is removed by key: places of a mode, or rows of a kind.

    `noun` is what one is, `key_noun` what its key is; `command` lists them. `in_use` and
    `unknown` are causes of refusals. `readers` are the columns with which entries name them.
    The functions read the stale keys, and the known ones of some, and remove some.
    """

    tenant: str
    kind: str
    noun: str
    key_noun: str
    command: str
    in_use: str
    unknown: str
    stat: str
    readers: Sequence[PlaceColumns]
    stale: Callable[[Connection], Awaitable[Sequence[str]]]
    known: Callable[[Connection, Sequence[str]], Awaitable[set[str]]]
    remove: Callable[[Connection, Sequence[str], int], Awaitable[int]]


async def remove_reference_data(
    stores: Stores, run: Run, removable: Removable, mode: str
) -> Outcome:
    """Remove what is stale, or what the payload lists by its keys.

    All of it or nothing. If entries use it, or more than half of the kilograms of a type and year
    would go, that needs consent. Raises Refusal.
    """
    job, ledger = run.job, stores.ledger
    await close_ledger_scopes(ledger, job.tenant, job.close_through)
    async with ledger.snapshot() as conn:
        keys: Sequence[str]
        if await has_answered(conn, job.tenant, job.job_id):
            keys = []
        elif mode == REMOVE_STALE:
            keys = await removable.stale(conn)
        else:
            keys = await _named(conn, job, removable)
    if not has_consent(job):
        run.progress(0, 0, "look for entries that use what goes")
        instead = "Correct the entries first, or allow the removal"
        await refuse_used(ledger, removable, keys, instead)

    async def remove(conn: Connection) -> int:
        gone = await removable.remove(conn, keys, job.claim_token)
        kept = await first_answer(conn, job.tenant, job.job_id, job.claim_token, {"removed": gone})
        return int(kept["removed"])

    slices = await slices_of_readers(ledger, removable)
    await refuse_large_changes(ledger, run, slices, reference_input(removable.kind), remove)
    removed = await publish(run, ledger, [f"reference/{removable.kind}"], remove)
    noun = f"stale {removable.noun}" if mode == REMOVE_STALE else removable.noun
    were = "was" if removed == 1 else "were"
    return Succeeded({removable.stat: removed}, f"{pluralize(removed, noun)} {were} removed.")


async def refuse_used(
    ledger: Ledger, removable: Removable, keys: Sequence[str], instead: str = ""
) -> None:
    """Raise Refusal if entries use something of these keys. `instead` says what to do about it."""
    if not keys:
        return
    async with ledger.snapshot() as conn:
        usage = await usage_of_places(conn, removable.tenant, removable.readers, keys)
    said = {"instead": instead} if instead else {}
    refuse_what_is_used(removable.in_use, removable.noun, len(keys), usage, str.upper, **said)


async def slices_of_readers(ledger: Ledger, removable: Removable) -> list[FactorSlice]:
    """The types and years with entries whose formula reads this."""
    return [
        FactorSlice(removable.tenant, reader.data_entry_type, year)
        for reader in removable.readers
        for year in await years_with_entries(ledger, removable.tenant, reader.data_entry_type)
    ]


async def _named(conn: Connection, job: ClaimedJob, removable: Removable) -> Sequence[str]:
    """The keys of the payload as they are stored, each once. Raises Refusal for an unknown one."""
    noun = removable.noun
    wanted = names_to_remove(job, "codes", f"{noun}s")
    keys = dict.fromkeys(map(comparison_key, wanted))
    known = await removable.known(conn, list(keys))
    unknown = [code for code in wanted if comparison_key(code) not in known]
    if unknown:
        key = removable.key_noun
        one = f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
        no = f"is not the {key} of {one}" if len(unknown) == 1 else f"are not {key}s of {noun}s"
        raise Refusal(
            removable.unknown,
            f"Nothing was changed: {named_in_short(map(shown_text, unknown))} {no}."
            f" `{removable.command}` lists those that are.",
        )
    return list(keys)
