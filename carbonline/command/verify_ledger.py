"""Verifies the ledger, and asks the scheduler whether it knows of the totals that are stale."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.client.paging import read_pages
from carbonline.command.columns import Row
from carbonline.v1 import monitoring_pb2, upkeep_pb2

TOTALS = 13
SENTENCE = "Totals that are not stale equal a recomputation from scratch."
# More than two databases' clocks differ, and than a publication takes.
MARGIN = timedelta(minutes=10)
STALE_MAX = 10_000


@dataclass
class LedgerCheck:
    """What all pages say. `stale` totals, of a module and year each, are known to be so."""

    findings: list[Row] = field(default_factory=list)
    totals: int = 0
    entries: int = 0
    stale: int = 0
    has_more: bool = False


async def check_ledger(client: ContractClient, after_pipeline_id: int) -> LedgerCheck:
    """Verifies all pages of the ledger, or what was computed since a pipeline. Raises ServerError.

    Stale totals are a finding only if the scheduler takes them for fresh.
    """
    check = LedgerCheck()
    wanted = upkeep_pb2.VerifyLedgerRequest()
    since = await _created(client, after_pipeline_id)
    if since is not None:
        wanted.changed_since.CopyFrom(since)
    while True:
        page = await client.verify_ledger(wanted)
        check.findings += map(_row, page.findings)
        check.has_more |= page.has_more_findings
        check.totals += page.totals
        check.entries += page.entries
        for stale in page.stale:
            if await _is_missed(client, stale):
                check.findings.append(_missed(stale))
            else:
                check.stale += 1
        wanted.page_token = page.next_page_token
        if not wanted.page_token:
            return check


async def _created(client: ContractClient, pipeline_id: int) -> Timestamp | None:
    """Since when a claim may have run that belongs to a later pipeline; None if that is unknown."""
    if not pipeline_id:
        return None
    try:
        answer = await client.get_pipeline(pipeline_id)
    except ServerError as error:
        if error.reason != "PIPELINE_NOT_FOUND":
            raise
        return None
    since = Timestamp()
    since.FromDatetime(answer.pipeline.created_at.ToDatetime() - MARGIN)
    return since


async def _is_missed(client: ContractClient, stale: upkeep_pb2.LedgerStaleTotals) -> bool:
    """Whether totals stay stale although the scheduler knows of nothing that will change them."""
    if await _is_known(client, stale):
        return False
    # What was on its way at the first look may have ended before the scheduler was asked.
    wanted = upkeep_pb2.VerifyLedgerRequest(year=stale.year, module=stale.module)
    # Older totals are looked at, and not summed once more.
    wanted.changed_since.FromDatetime(datetime.now(UTC) + MARGIN)
    again = await client.verify_ledger(wanted)
    return stale in again.stale


async def _is_known(client: ContractClient, stale: upkeep_pb2.LedgerStaleTotals) -> bool:
    active = await client.list_active_pipelines(stale.year, [stale.module])
    if active.modules or active.year_wide_pipelines:
        return True
    wanted = monitoring_pb2.ListStaleStatsRequest(year=stale.year)
    known, _ = await read_pages(client.list_stale_stats, wanted, lambda page: page.stats, STALE_MAX)
    return any(one.module == stale.module for one in known)


def _row(finding: upkeep_pb2.LedgerFinding) -> Row:
    return {
        "invariant": finding.invariant,
        "sentence": finding.sentence,
        "pipeline": None,
        "job": None,
        "ledger_scope": finding.ledger_scope,
        "detail": f"{finding.ledger_scope}: {finding.detail}",
    }


def _missed(stale: upkeep_pb2.LedgerStaleTotals) -> Row:
    scope = f"totals/{stale.module}/{stale.year}"
    return {
        "invariant": TOTALS,
        "sentence": SENTENCE,
        "pipeline": None,
        "job": None,
        "ledger_scope": scope,
        "detail": f"{scope}: {stale.reason}, and the scheduler takes them for fresh",
    }
