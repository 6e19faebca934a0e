"""Verifies a ledger as VerifyLedger does, over all its pages."""

from carbonline.v1 import upkeep_pb2
from worker_service.ledger.pool import Ledger
from worker_service.ledger_api.verification import Verification


async def pages(
    ledger: Ledger, wanted: upkeep_pb2.VerifyLedgerRequest | None = None
) -> list[upkeep_pb2.VerifyLedgerResponse]:
    """The answers, in order."""
    request = upkeep_pb2.VerifyLedgerRequest()
    if wanted is not None:
        request.CopyFrom(wanted)
    verification = Verification(ledger)
    found: list[upkeep_pb2.VerifyLedgerResponse] = []
    while not found or request.page_token:
        found.append(await verification.answer("local", request))
        request.page_token = found[-1].next_page_token
    return found


async def findings(ledger: Ledger) -> list[tuple[int, str, str]]:
    """Invariant, ledger scope and detail of everything that breaks one."""
    return [
        (one.invariant, one.ledger_scope, one.detail)
        for page in await pages(ledger)
        for one in page.findings
    ]
