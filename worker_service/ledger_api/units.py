"""Finds the unit that a request names, and tells who may not see those below it."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from carbonline.serving.errors import RpcError
from carbonline.serving.interceptor import caller
from worker_service.carbon.parse.unit_hints import unknown_unit_sentence
from worker_service.ledger.limits import NO_LIMITS, Limits
from worker_service.ledger.pool import Ledger
from worker_service.ledger.units import find_unit, read_units


class _Limited(Protocol):
    leave_out_others: bool


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


def limits_of(request: _Limited) -> Limits:
    """What a request is answered from: what is the caller's, if it leaves out the rest."""
    if not request.leave_out_others:
        return NO_LIMITS
    modules, units = caller().modules, caller().units
    return Limits(
        None if modules is None else tuple(sorted(modules)),
        None if units is None else tuple(sorted(units)),
    )


def check_units_below(module: int | None, unit: str | None, units: Sequence[str] | None) -> None:
    """Raises RpcError PERMISSION_DENIED unless the caller may see all `units`, which are `unit` and
    those below it: whoever moves a unit in the tree gives nobody more rights.
    """
    if unit is not None:
        caller().check_units_below(module, unit, [one for one in units or () if one != unit])
