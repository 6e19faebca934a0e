"""unit_removal: removes units that no entry uses."""

from collections.abc import Sequence

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.job_answers import first_answer, has_answered
from worker_service.ledger.pool import Connection
from worker_service.ledger.unit_tree import children_of
from worker_service.ledger.units import read_units, remove_units
from worker_service.ledger.usage import Usage, usage_of_units
from worker_service.mechanics.claimed_job import ClaimedJob
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run
from worker_service.steps.input_file import Refusal
from worker_service.steps.publishing import publish
from worker_service.steps.stores import Stores
from worker_service.steps.taking_away import named_in_short, names_to_remove


async def run_unit_removal(stores: Stores, run: Run) -> Outcome:
    """Remove the units that the payload names: all, or none if an entry uses one of them."""
    job = run.job
    try:
        wanted = names_to_remove(job, "units", "units")
        await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
        units = await _left(stores, job, wanted)
        run.progress(0, 0, "look for entries that use them")
        looked_at: set[int] = set()
        async with stores.ledger.snapshot() as conn:
            _refuse_used(await usage_of_units(conn, job.tenant, units, looked_at))

        async def remove(conn: Connection) -> int:
            _refuse_parents(await children_of(conn, job.tenant, units))
            removed = await remove_units(conn, job.tenant, units)
            # Entries published since the look. Nobody can publish entries of these units now.
            _refuse_used(await usage_of_units(conn, job.tenant, units, looked_at))
            answer = {"removed": removed}
            kept = await first_answer(conn, job.tenant, job.job_id, job.claim_token, answer)
            return int(kept["removed"])

        run.progress(0, 0, "publish")
        removed = await publish(run, stores.ledger, ["units"], remove)
    except Refusal as refusal:
        return refusal.outcome()
    # Units that an earlier claim removed are named as the caller wrote them.
    spelt = {comparison_key(unit): unit for unit in (*wanted, *units)}
    were = "was" if len(spelt) == 1 else "were"
    named = named_in_short(map(shown_text, spelt.values()))
    return Succeeded({"units_removed": removed}, f"{named} {were} removed.")


async def _left(stores: Stores, job: ClaimedJob, wanted: Sequence[str]) -> Sequence[str]:
    """The units to remove as the institution spells them, each once.

    None if an earlier claim of the job has removed them. Raises Refusal for an unknown unit.
    """
    async with stores.ledger.session() as conn:
        if await has_answered(conn, job.tenant, job.job_id):
            return []
    known = await read_units(stores.ledger, job.tenant)
    spelt = dict(zip(comparison_keys(known), known, strict=True))
    keys = dict.fromkeys(map(comparison_key, wanted))
    unknown = [unit for unit in wanted if comparison_key(unit) not in spelt]
    if unknown:
        no = "is not a unit" if len(unknown) == 1 else "are not units"
        raise Refusal(
            "unknown_unit",
            f"Nothing was changed: {named_in_short(map(shown_text, unknown))} {no} of the"
            " institution. `carbonline units` lists those that are.",
        )
    return [spelt[key] for key in keys]


def _refuse_parents(children: Sequence[tuple[str, str]]) -> None:
    if not children:
        return
    said = [f"{shown_text(child)} is below {shown_text(parent)}" for child, parent in children]
    raise Refusal(
        "units_have_units_below",
        f"Nothing was changed: {named_in_short(said)}. Remove the units below, too, or load units"
        " whose parent_unit_id is another one.",
    )


def _refuse_used(usage: Usage) -> None:
    used = sorted(usage.by_key, key=lambda unit: (-usage.by_key[unit], unit))
    if not used:
        return
    use = "uses" if usage.entries == 1 else "use"
    raise Refusal(
        "units_in_use",
        f"Nothing was changed: {pluralize(usage.entries, 'entry', 'entries')} {use}"
        f" {named_in_short(map(shown_text, used))}. Upload their files without these units, or"
        " withdraw the uploads.",
    )
