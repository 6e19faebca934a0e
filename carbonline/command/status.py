"""`carbonline status`: shows the services, workers, pauses and latest pipelines."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from carbonline.client.pending import pending_sentence
from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name, type_name, worker_word
from carbonline.command.options import YEAR
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.pause import pause_words
from carbonline.command.pipelines import COLUMNS as PIPELINE_COLUMNS
from carbonline.command.pipelines import row_of
from carbonline.command.printing import moment
from carbonline.command.safe_text import one_line
from carbonline.command.schedule_words import paused_words, schedule_sentence, trouble_of
from carbonline.pluralize import pluralize
from carbonline.v1 import (
    interventions_pb2,
    ledger_pb2,
    operations_pb2,
    schedules_pb2,
    types_pb2,
    upkeep_pb2,
)

PIPELINES_SHOWN = 5
LIVE = frozenset({types_pb2.PIPELINE_STATUS_NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING})
# Who submitted them, and how many of their jobs live, `pipelines` tells.
COLUMNS = tuple(
    replace(column, in_tables=column.in_tables and column.name not in {"submitted_by", "live_jobs"})
    for column in PIPELINE_COLUMNS
)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the scheduler says and, of a year if one was asked for, scheduler and ledger."""

    workers: operations_pb2.ListWorkersResponse
    pipelines: operations_pb2.ListPipelinesResponse
    pauses: Sequence[interventions_pb2.JobTypePause]
    schedules: Sequence[schedules_pb2.Schedule]
    uncollected: upkeep_pb2.GetUncollectedResponse
    year: operations_pb2.GetYearResponse | None
    freshness: Sequence[ledger_pb2.TotalsFreshness]


@click.command(
    short_help="Show workers, pipelines, and whether totals are fresh.",
    epilog=examples("carbonline status", "carbonline status --year 2024"),
)
@click.option(
    "--year", type=YEAR, help="Include this year: is it provisioned, are its totals fresh."
)
@output_options
@connection_options
def status(target: Target, output: Output, year: int | None) -> None:
    """Show workers, paused job types, schedules that fail or are paused, and the latest pipelines.

    With --year, also show whether a year's totals are fresh.
    """
    standing = run_to_end(_status(target, year))
    if output.is_table:
        _print_workers(standing.workers)
        for one in standing.pauses:
            click.echo(f"{pause_words(one)}.")
        for one_schedule in standing.schedules:
            if words := paused_words(one_schedule) or trouble_of(one_schedule):
                click.echo(f"{schedule_sentence(one_schedule, words)}.")
        _print_uncollected(standing.uncollected)
        _print_live(standing.pipelines)
    rows = [row_of(pipeline) for pipeline in standing.pipelines.pipelines]
    show_rows(COLUMNS, rows, output, about=_about(standing))
    if output.is_table and standing.year is not None:
        _print_year(standing.year, standing.freshness)


async def _status(target: Target, year: int | None) -> Standing:
    async with target.client() as client:
        workers, pipelines, paused, scheduled = await asyncio.gather(
            client.list_workers(),
            client.list_pipelines(page_size=PIPELINES_SHOWN),
            client.list_job_type_pauses(),
            client.list_schedules(),
        )
        of_year = await client.get_year(year) if year else None
        totals = await client.get_totals(year) if year else None
        uncollected = await client.get_uncollected()
    freshness = totals.freshness if totals else ()
    return Standing(
        workers,
        pipelines,
        paused.pauses,
        scheduled.schedules,
        uncollected,
        of_year,
        freshness,
    )


def _counts(workers: operations_pb2.ListWorkersResponse) -> dict[str, int]:
    words = [worker_word(worker.state) for worker in workers.workers]
    return {word: words.count(word) for word in dict.fromkeys(words)}


def _running(workers: operations_pb2.ListWorkersResponse) -> int:
    return sum(len(worker.held) + worker.held_left_out for worker in workers.workers)


def _about(standing: Standing) -> dict[str, Row | str | int]:
    about: dict[str, Row | str | int] = {
        "scheduler_build": standing.workers.scheduler_build_id,
        "workers": _counts(standing.workers),
        "running_jobs": _running(standing.workers),
        "paused": {one.job_type: pause_words(one) for one in standing.pauses},
        "paused_schedules": {
            one.name: words for one in standing.schedules if (words := paused_words(one))
        },
        "failing_schedules": {
            one.name: words for one in standing.schedules if (words := trouble_of(one))
        },
        "uncollected": {
            "sets": standing.uncollected.sets,
            "rows": standing.uncollected.rows,
            "oldest_since": moment(standing.uncollected.oldest_since),
            "loading_sets": standing.uncollected.loading_sets,
        },
    }
    if standing.year is not None:
        about["year"] = {
            "year": standing.year.year,
            "provisioned": standing.year.provisioned,
            "locked": standing.year.locked,
            "modules": modules_of_year(standing.year, standing.freshness),
        }
    return about


def _print_workers(answer: operations_pb2.ListWorkersResponse) -> None:
    counts = ", ".join(f"{count} {word}" for word, count in _counts(answer).items())
    click.echo(f"The scheduler ({answer.scheduler_build_id}) and the ledger are up.")
    # One that is left out holds nothing: who holds a claim comes first.
    more = ", and more" if answer.next_page_token else ""
    running = pluralize(_running(answer), "job")
    click.echo(f"Workers: {counts or 'none'}{more}; {running} running.")


def _print_uncollected(answer: upkeep_pb2.GetUncollectedResponse) -> None:
    if not answer.sets:
        return
    rows, sets = pluralize(answer.rows, "row"), pluralize(answer.sets, "set")
    since = f"the first since {moment(answer.oldest_since)} UTC"
    click.echo(f"To be deleted: {rows} in {sets} that count no more, {since}.")


def _print_live(answer: operations_pb2.ListPipelinesResponse) -> None:
    live = sum(pipeline.status in LIVE for pipeline in answer.pipelines)
    count = len(answer.pipelines)
    are = "is" if live <= 1 else "are"
    if count == 0:
        click.echo("No pipelines yet.")
    elif count == 1:
        click.echo(f"The only pipeline {'is running or waiting' if live else 'has ended'}.")
    else:
        click.echo(f"{live or 'None'} of the latest {count} pipelines {are} running or waiting.")


def _print_year(
    answer: operations_pb2.GetYearResponse, freshness: Sequence[ledger_pb2.TotalsFreshness]
) -> None:
    if not answer.provisioned:
        click.echo(f"Year {answer.year}: not provisioned; load units with --year {answer.year}.")
        return
    reason = f": {answer.lock_reason}" if answer.lock_reason else ""
    since = f", locked since {moment(answer.locked_at)} UTC, by {answer.locked_by}{reason}"
    locked = one_line(since) if answer.locked else ""
    click.echo(f"Year {answer.year}: provisioned{locked}.")
    for name, module in modules_of_year(answer, freshness).items():
        state = "totals are up to date" if module["fresh"] else "totals are STALE"
        reason = f": {module['reason']}" if module["reason"] else ""
        click.echo(one_line(f"  {name}: {state}{reason}"))


def modules_of_year(
    answer: operations_pb2.GetYearResponse, freshness: Sequence[ledger_pb2.TotalsFreshness]
) -> dict[str, Row]:
    """The modules of a year, with `fresh` and `reason`.

    A module is fresh if the scheduler knows of no change on its way and the ledger finds none.
    """
    pending = {one.module: one for one in answer.modules if not one.fresh}
    found = {one.module: one for one in freshness if not one.fresh}
    modules: dict[str, Row] = {}
    either = {one.module for one in answer.modules} | {one.module for one in freshness}
    for number in sorted(either):
        stale = [one for one in (pending.get(number), found.get(number)) if one is not None]
        types = sorted({of_type for one in stale for of_type in one.stale_types})
        modules[module_name(number)] = {
            "fresh": not stale,
            "reason": _reason(pending.get(number), found.get(number)),
            "stale_types": [type_name(of_type) for of_type in types],
        }
    return modules


def _reason(
    pending: operations_pb2.ModuleFreshness | None, found: ledger_pb2.TotalsFreshness | None
) -> str:
    if found is not None:
        return found.reason
    return "" if pending is None else pending_sentence(pending)
