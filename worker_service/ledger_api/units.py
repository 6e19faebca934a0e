"""Finds the unit that a request names."""

import asyncio

from carbonline.serving.errors import RpcError
from carbonline.serving.interceptor import caller
from carbonline.v1 import ledger_pb2
from worker_service.carbon.parse.unit_hints import unknown_unit_sentence
from worker_service.ledger.pool import Ledger
from worker_service.ledger.unit_tree import units_below
from worker_service.ledger.units import find_unit, read_units


async def spelt_unit(ledger: Ledger, tenant: str, asked: str) -> str | None:
    """The unit as the institution spells it. None if `asked` is empty.

    Raises RpcError UNIT_NOT_FOUND, with units of similar names.
    """
    if not asked:
        return None
    if found := await find_unit(ledger, tenant, asked):
        return found
    units = await read_units(ledger, tenant)
    raise RpcError("UNIT_NOT_FOUND", await asyncio.to_thread(unknown_unit_sentence, asked, units))


async def units_of(
    ledger: Ledger,
    tenant: str,
    request: ledger_pb2.GetTotalsRequest | ledger_pb2.GetReportRequest,
) -> tuple[str, ...] | None:
    """The units that a request is about, as the institution spells them. None for all.

    Raises RpcError UNIT_NOT_FOUND, or PERMISSION_DENIED for a unit below that is not the caller's:
    whoever moves a unit in the tree gives nobody more rights.
    """
    unit = await spelt_unit(ledger, tenant, request.unit)
    if unit is None:
        return None
    if not request.with_units_below:
        return (unit,)
    units = await units_below(ledger, tenant, unit)
    for one in units:
        if one != unit:
            caller().check_scope(request.module, one)
    return units
