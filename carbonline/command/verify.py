"""`carbonline verify`: checks the invariants of the job table and of the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import click

from carbonline.command.asynchronous import run_to_end
from carbonline.command.columns import Column, Kind, Row
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, connection_options
from carbonline.command.exit_codes import ExitCode
from carbonline.command.options import WholeNumber
from carbonline.command.output import Output, output_options, show_rows
from carbonline.command.verify_ledger import LedgerCheck, check_ledger
from carbonline.pluralize import pluralize
from carbonline.v1 import monitoring_pb2

COLUMNS = (
    Column("invariant", kind=Kind.NUMERAL),
    Column("sentence", "what must hold"),
    Column("pipeline", kind=Kind.NUMERAL),
    Column("job", kind=Kind.NUMERAL),
    Column("ledger_scope", "ledger scope", in_tables=False),
    Column("detail", "what breaks it"),
)


@dataclass
class History:
    """What all pages say. `ended_through` is the pipeline up to which all have ended."""

    findings: list[monitoring_pb2.InvariantFinding] = field(default_factory=list)
    pipelines: int = 0
    requests: int = 0
    ended_through: int = 0
    has_live: bool = False
    has_more: bool = False

    def add(self, page: monitoring_pb2.VerifyHistoryResponse) -> None:
        """The next page, in order."""
        self.findings += page.findings
        self.has_more |= page.has_more_findings
        self.pipelines += page.pipelines
        self.requests += page.requests
        if page.pipelines and not self.has_live:
            self.ended_through = page.ended_through_pipeline_id
            self.has_live = page.has_live_pipelines


# A page lists the first hundred of each kind.
MORE_FINDINGS = "verify again when the cause of these is found"


@click.command(
    short_help="Check that the stored history and the ledger are sound.",
    epilog=examples("carbonline verify", "carbonline verify --after 1200 --json"),
)
@click.option(
    "--after",
    type=WholeNumber(0, 2**63 - 1),
    default=0,
    metavar="PIPELINE",
    help="Only pipelines with a larger number, and what was computed since that one.",
)
@output_options
@connection_options
def verify(target: Target, output: Output, after: int) -> None:
    """Check every invariant of the job table and of the ledger, page by page.

    Emissions and totals are computed again and compared; stale ones are left out. Nothing is
    changed. The exit code is 8 if something breaks an invariant, which is a bug. A pipeline that
    has ended does not change, so the last line says with which --after the next check reads only
    what is new.
    """
    history, ledger = run_to_end(_verify(target, after))
    found = [*map(_row, history.findings), *ledger.findings]
    about = {
        "pipelines": history.pipelines,
        "requests": history.requests,
        "ended_through": history.ended_through,
        "totals": ledger.totals,
        "entries": ledger.entries,
        "stale_totals": ledger.stale,
    }
    more = history.has_more or ledger.has_more
    show_rows(COLUMNS, found, output, about=about, more=MORE_FINDINGS if more else "")
    if output.is_table:
        click.echo(_summary(found, history, ledger))
    if found:
        raise SystemExit(ExitCode.UNSOUND)


async def _verify(target: Target, after: int) -> tuple[History, LedgerCheck]:
    history = History(ended_through=after)
    async with target.client() as client:
        token = ""
        while True:
            page = await client.verify_history(after_pipeline_id=after, page_token=token)
            history.add(page)
            token = page.next_page_token
            if not token:
                break
        return history, await check_ledger(client, after)


def _summary(found: Sequence[Row], history: History, ledger: LedgerCheck) -> str:
    says = f"{pluralize(len(found), 'finding')}." if found else "Every invariant holds."
    pipelines = pluralize(history.pipelines, "pipeline")
    entries = pluralize(ledger.entries, "entry", "entries")
    next_time = f"next time: carbonline verify --after {history.ended_through}"
    return f"{says} {pipelines} and {entries} checked; {next_time}{_stale(ledger)}"


def _stale(ledger: LedgerCheck) -> str:
    if not ledger.stale:
        return ""
    count = pluralize(ledger.stale, "module")
    return f"\nNot computed again, because a change is on its way: the totals of {count}."


def _row(finding: monitoring_pb2.InvariantFinding) -> Row:
    return {
        "invariant": finding.invariant,
        "sentence": finding.sentence,
        "pipeline": finding.pipeline_id or None,
        "job": finding.job_id or None,
        "ledger_scope": None,
        "detail": finding.detail,
    }
