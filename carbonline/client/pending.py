"""Totals and reports, with what the scheduler knows of changes that are on their way."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError
from carbonline.v1 import ledger_pb2, operations_pb2, types_pb2

_Answer = TypeVar("_Answer", ledger_pb2.GetTotalsResponse, ledger_pb2.GetReportResponse)


async def totals_and_pending(
    client: ContractClient,
    year: int,
    module: int = 0,
    unit: str = "",
    *,
    below: bool = False,
    own: bool = False,
) -> tuple[ledger_pb2.GetTotalsResponse, list[str]]:
    """Totals whose freshness counts pending changes too, and a sentence if these are not known.

    They are not known if the scheduler does not answer, or not to this caller.
    """
    return await _with_year(
        client,
        year,
        module,
        lambda: client.get_totals(year, module=module, unit=unit, below=below, own=own),
    )


async def report_and_pending(
    client: ContractClient,
    year: int,
    module: int = 0,
    unit: str = "",
    *,
    below: bool = False,
    own: bool = False,
) -> tuple[ledger_pb2.GetReportResponse, list[str]]:
    """A report, likewise."""
    return await _with_year(
        client,
        year,
        module,
        lambda: client.get_report(year, module=module, unit=unit, below=below, own=own),
    )


async def _with_year(
    client: ContractClient, year: int, module: int, ask: Callable[[], Awaitable[_Answer]]
) -> tuple[_Answer, list[str]]:
    # The scheduler first: a change that is over by the second call, the ledger has.
    try:
        known, unknown = await client.get_year(year), []
    except ServerError as error:
        known = operations_pb2.GetYearResponse()
        unknown = [f"Whether a change is still being processed is not known: {error}"]
    return with_pending(await ask(), known, module), unknown


def with_pending(
    answer: _Answer, known: operations_pb2.GetYearResponse, module: int = 0
) -> _Answer:
    """The answer, in which no module is fresh that the scheduler calls stale."""
    merged = type(answer)()
    merged.CopyFrom(answer)
    found = {one.module: one for one in merged.freshness}
    for stale in known.modules:
        if stale.fresh or module not in (0, stale.module):
            continue
        one = found.get(stale.module)
        if one is None:
            one = merged.freshness.add(module=stale.module, fresh=True)
        if one.fresh:
            one.fresh = False
            one.reason = pending_sentence(stale)
            one.stale_types.extend(stale.stale_types)
    return merged


def pending_sentence(stale: operations_pb2.ModuleFreshness) -> str:
    """Such as "a change of plane is still being processed"."""
    names = [
        types_pb2.DataEntryType.Name(number).removeprefix("DATA_ENTRY_TYPE_").lower()
        for number in stale.stale_types
        if number in types_pb2.DataEntryType.values()
    ]
    of = f" of {' and '.join(names)}" if names else ""
    return f"a change{of} is still being processed"
