"""Answers VerifyLedger: what breaks an invariant of the ledger, page by page."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from operator import le

from carbonline.serving.field_checker import ID_MAX
from carbonline.serving.pages import page_token
from carbonline.v1 import types_pb2, upkeep_pb2
from worker_service.carbon.catalogue import NotSupported, declaration
from worker_service.carbon.declarations import DataEntryType
from worker_service.ledger.freshness import computable_types
from worker_service.ledger.pool import Ledger
from worker_service.ledger.verify.invariants import (
    INVARIANTS,
    Chosen,
    Finding,
    may_have_more,
)
from worker_service.ledger.verify.verify_emissions import Place, verify_emissions
from worker_service.ledger.verify.verify_tokens import (
    verify_emission_sets,
    verify_entry_sets,
    verify_rest,
)
from worker_service.ledger.verify.verify_totals import StaleTotals, verify_totals
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.freshness import answer_freshness

ENTRIES_DEFAULT, ENTRIES_MAX = 50_000, 200_000
# Looked up by number, where an entry is computed.
SETS_PER_PAGE = 20_000
TOTALS, EMISSIONS, REST = "totals", "emissions", "rest"
ENTRY_SETS, EMISSION_SETS = "entry_sets", "emission_sets"
TOKEN_STAGES = (REST, ENTRY_SETS, EMISSION_SETS)
STAGES = (TOTALS, EMISSIONS, *TOKEN_STAGES)
# Of the keys of totals and emissions: year, type or module, upload, row.
SMALLINT_MAX, INTEGER_MAX = 2**15 - 1, 2**31 - 1
Response = upkeep_pb2.VerifyLedgerResponse


@dataclass(frozen=True, slots=True)
class _Page:
    """A stage, and where in it the page begins, in the stage's own keys."""

    stage: str = TOTALS
    keys: tuple[int, ...] = (0, 0, 0, 0)

    @property
    def token(self) -> str:
        return page_token(self.stage, *self.keys)


@dataclass(frozen=True, slots=True)
class _Wanted:
    chosen: Chosen
    entries_max: int
    page: _Page


class Verification:
    """Verifies a page at a time, so that readers of numbers have the processor, too."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads `ledger`."""
        self._ledger = ledger
        self._turn = asyncio.Lock()

    async def answer(self, tenant: str, request: upkeep_pb2.VerifyLedgerRequest) -> Response:
        """One page. Raises RpcError FIELD_INVALID."""
        wanted = _checked(tenant, request)
        async with self._turn:
            match wanted.page.stage:
                case "totals":
                    return await self._totals(wanted)
                case "emissions":
                    return await self._emissions(wanted)
                case _:
                    return await self._tokens(wanted)

    async def _totals(self, wanted: _Wanted) -> Response:
        year, module, _, _ = wanted.page.keys
        page = await verify_totals(self._ledger, wanted.chosen, (year, module), computable_types)
        answer = _found(page.findings)
        answer.totals = int(page.compared)
        if page.stale is not None:
            answer.stale.append(_stale(page.stale))
        here = _Page(EMISSIONS) if page.place is None else _Page(TOTALS, (*page.place, 0, 0))
        answer.next_page_token = here.token
        return answer

    async def _emissions(self, wanted: _Wanted) -> Response:
        begin = Place(*wanted.page.keys)
        page = await verify_emissions(
            self._ledger, wanted.chosen, begin, wanted.entries_max, _declared
        )
        answer = _found(page.findings)
        answer.entries = page.entries
        if page.next is not None:
            answer.next_page_token = _Page(EMISSIONS, page.next).token
        elif wanted.chosen.year is None:
            answer.next_page_token = _Page(REST).token
        return answer

    async def _tokens(self, wanted: _Wanted) -> Response:
        """The stages that verify claim tokens."""
        tenant, stage = wanted.chosen.tenant, wanted.page.stage
        if stage == REST:
            found = await verify_rest(self._ledger, tenant)
            answer = _found(found)
            answer.next_page_token = _Page(ENTRY_SETS).token
            return answer
        after = wanted.page.keys[0]
        verify = verify_entry_sets if stage == ENTRY_SETS else verify_emission_sets
        page = await verify(self._ledger, tenant, after, SETS_PER_PAGE)
        answer = _found(page.findings)
        if page.last is not None:
            answer.next_page_token = _Page(stage, (page.last, 0, 0, 0)).token
        elif stage == ENTRY_SETS:
            answer.next_page_token = _Page(EMISSION_SETS).token
        return answer


def _found(findings: Sequence[Finding]) -> Response:
    return Response(findings=map(_finding, findings), has_more_findings=may_have_more(findings))


def _checked(tenant: str, request: upkeep_pb2.VerifyLedgerRequest) -> _Wanted:
    fields = Fields()
    year = fields.optional_year("year", request.year)
    module = fields.known("module", request.module, types_pb2.Module)
    if module and not year:
        fields.fail("year", "is required if a module is given")
    since = None
    if request.HasField("changed_since"):
        since = fields.moment("changed_since", request.changed_since)
    size = fields.page_size("page_size", request.page_size, ENTRIES_DEFAULT, ENTRIES_MAX)
    page = _page(fields, request.page_token)
    fields.done()
    return _Wanted(Chosen(tenant, year, module, since), size, page)


def _page(fields: Fields, token: str) -> _Page:
    keys = fields.page_keys("page_token", token, str, int, int, int, int)
    if not keys:
        return _Page()
    stage, *rest = keys
    numbers_max = (SMALLINT_MAX, SMALLINT_MAX, ID_MAX, INTEGER_MAX)
    in_range = stage in TOKEN_STAGES or all(map(le, rest, numbers_max))
    if stage not in STAGES or not in_range:
        fields.wrong_token("page_token")
        return _Page()
    return _Page(stage, tuple(rest))


def _declared(data_entry_type: int) -> DataEntryType | None:
    try:
        return declaration(data_entry_type)
    except NotSupported:
        return None


def _finding(finding: Finding) -> upkeep_pb2.LedgerFinding:
    return upkeep_pb2.LedgerFinding(
        invariant=finding.invariant,
        sentence=INVARIANTS[finding.invariant],
        detail=finding.detail,
        ledger_scope=finding.ledger_scope,
        year=finding.year,
    )


def _stale(stale: StaleTotals) -> upkeep_pb2.LedgerStaleTotals:
    return upkeep_pb2.LedgerStaleTotals(
        module=types_pb2.Module.ValueType(stale.state.module),
        year=stale.year,
        reason=answer_freshness(stale.state).reason,
        newest_claim_token=stale.newest_token,
    )
