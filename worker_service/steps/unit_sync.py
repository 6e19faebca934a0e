"""unit_sync: loads the institution's units. Its Finish makes the scheduler provision the year."""

import asyncio
from dataclasses import replace

from worker_service.carbon.csv_source.shown import shown_text
from worker_service.carbon.parse.references import read_units
from worker_service.carbon.parse.rows import merged_rejections
from worker_service.carbon.parse.units import doubtful_units
from worker_service.ledger.fences import close_ledger_scopes
from worker_service.ledger.units import UnitChanges, save_units
from worker_service.ledger.units import read_units as known_units
from worker_service.mechanics.outcome import Outcome
from worker_service.mechanics.run import Run
from worker_service.steps.input_file import Refusal, input_file, refusals
from worker_service.steps.noted_rows import RowNotes
from worker_service.steps.publishing import keeping_changes, publish
from worker_service.steps.stores import Stores
from worker_service.steps.table_report import TableReport
from worker_service.steps.taking_away import NAMED_MAX

NAME_CHARACTERS_MAX = 60
STEPS = ("fetch units", "check units", "save units", "provision year")


async def run_unit_sync(stores: Stores, run: Run) -> Outcome:
    """Add and rename units by their institutional id. No unit is removed."""
    job = run.job
    try:
        with refusals():
            _step(run, 0)
            file = input_file(stores.blobs, job)
            await close_ledger_scopes(stores.ledger, job.tenant, job.close_through)
            _step(run, 1)
            parsed = await asyncio.to_thread(read_units, file.open)
            known = await known_units(stores.ledger, job.tenant)
            doubtful = await asyncio.to_thread(doubtful_units, parsed.accepted, known)
            warnings = merged_rejections([parsed.warnings, doubtful])
            parsed = replace(parsed, warnings=warnings)
    except Refusal as refusal:
        return refusal.outcome()
    with RowNotes(stores.blobs, job, parsed.originals.first_line()) as notes:
        report = TableReport(parsed, notes, "unit")
        await asyncio.to_thread(report.note)
        if nothing := report.nothing_good():
            return nothing
        _step(run, 2)
        units, names = (parsed.accepted[column].to_list() for column in ("unit_id", "name"))
        changed = await publish(
            run,
            stores.ledger,
            ["units"],
            keeping_changes(
                run,
                lambda conn: save_units(
                    conn,
                    job.tenant,
                    units,
                    names,
                    job.claim_token,
                    file_name=str(job.payload.get("file_name", "")),
                    blob=str(file.reference),
                ),
            ),
        )
        _step(run, 3)
        sentence = f"{_sentence(changed)} The year {job.year} is provisioned."
        stats = {
            "units_new": changed.new,
            "units_renamed": len(changed.renamed),
            "units_same": changed.same,
            "units_changed": changed.new + len(changed.renamed),
        }
        return report.succeeded(sentence, stats)


def _sentence(changed: UnitChanges) -> str:
    """Such as "1 new, 1 renamed, 5 unchanged. Renamed: 0828 from Physics to Institute"."""
    renamed = len(changed.renamed)
    sentence = f"{changed.new:,} new, {renamed:,} renamed, {changed.same:,} unchanged."
    if renamed:
        named = "; ".join(
            f"{shown_text(unit)} from {_name(before)} to {_name(now)}"
            for unit, before, now in changed.renamed[:NAMED_MAX]
        )
        more = f"; and {renamed - NAMED_MAX:,} more" if renamed > NAMED_MAX else ""
        sentence += f" Renamed: {named}{more}."
    return sentence


def _name(name: str) -> str:
    shortened = name if len(name) <= NAME_CHARACTERS_MAX else f"{name[:NAME_CHARACTERS_MAX]}..."
    return f'"{shown_text(shortened)}"'


def _step(run: Run, number: int) -> None:
    run.progress(number, len(STEPS), STEPS[number])
