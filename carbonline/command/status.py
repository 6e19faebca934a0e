"""`carbonline status`: whether everything is there, and what goes on."""

import asyncio
import json
from typing import Any

import click
from google.protobuf import json_format

from carbonline.client.contract_client import ContractClient
from carbonline.command.asynchronous import run_to_end
from carbonline.command.connection import Target, connection_options
from carbonline.command.names import module_name, scope_words, status_word, worker_word
from carbonline.command.options import YEAR, json_option
from carbonline.command.printing import counted, moment
from carbonline.command.safe_text import one_line
from carbonline.v1 import operations_pb2, types_pb2

PIPELINES_SHOWN = 5
LIVE = frozenset({types_pb2.PIPELINE_STATUS_NOT_STARTED, types_pb2.PIPELINE_STATUS_RUNNING})


@click.command(short_help="Show what runs, what goes on, and how fresh totals are.")
@click.option("--year", type=YEAR, help="Say also how a year stands.")
@json_option
@connection_options
def status(target: Target, year: int | None, as_json: bool) -> None:
    """Show the workers, the latest pipelines and, with --year, how fresh a year's totals are."""
    run_to_end(_status(target, year, as_json=as_json))


async def _status(target: Target, year: int | None, *, as_json: bool) -> None:
    async with target.client() as client:
        workers, pipelines = await asyncio.gather(
            client.list_workers(), client.list_pipelines(page_size=PIPELINES_SHOWN)
        )
        standing = await client.get_year(year) if year else None
        await _check_ledger(client)
    if as_json:
        answers = {"workers": workers, "pipelines": pipelines, "year": standing}
        click.echo(
            json.dumps({name: _values(answer) for name, answer in answers.items()}, indent=2)
        )
        return
    _say_workers(workers)
    _say_pipelines(pipelines)
    if standing is not None:
        _say_year(standing)


async def _check_ledger(client: ContractClient) -> None:
    await client.list_modules()


def _values(answer: Any) -> Any:
    if answer is None:
        return None
    return json_format.MessageToDict(answer, preserving_proto_field_name=True)


def _say_workers(answer: operations_pb2.ListWorkersResponse) -> None:
    words = [worker_word(worker.state) for worker in answer.workers]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    held = sum(len(worker.held) for worker in answer.workers)
    click.echo(f"Scheduler {answer.scheduler_build_id} and ledger answer.")
    click.echo(f"Workers: {counts or 'none'}; {counted(held, 'job')} running.")


def _say_pipelines(answer: operations_pb2.ListPipelinesResponse) -> None:
    live = sum(pipeline.status in LIVE for pipeline in answer.pipelines)
    latest = counted(len(answer.pipelines), "pipeline")
    click.echo(f"Of the latest {latest} {live} {'is' if live == 1 else 'are'} live.")
    for pipeline in answer.pipelines:
        about = one_line(f"{pipeline.kind} {scope_words(pipeline.scope)}".strip())
        when = moment(pipeline.created_at)
        click.echo(f"  {pipeline.pipeline_id}  {when}  {about}: {status_word(pipeline)}")


def _say_year(answer: operations_pb2.GetYearResponse) -> None:
    if not answer.provisioned:
        click.echo(f"Year {answer.year}: not provisioned; load units with --year {answer.year}.")
        return
    locked = f", locked by {one_line(answer.locked_by)}" if answer.locked else ""
    click.echo(f"Year {answer.year}: provisioned{locked}.")
    for module in answer.modules:
        fresh = "totals are up to date" if module.fresh else "totals are STALE"
        click.echo(f"  {module_name(module.module)}: {fresh}")
