"""Answers to GetTotals, kept as they are sent for as long as nothing is published."""

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakValueDictionary

from carbonline.gatherer import Gatherer
from carbonline.serving.field_checker import YEAR_MAX, YEAR_MIN
from worker_service.ledger.pool import Ledger
from worker_service.ledger.published_state import published_states
from worker_service.ledger.totals import TotalsFilter, TotalsReader, YearTotals
from worker_service.ledger_api.totals import answer_totals

# Of all answers and what they are kept under.
KEPT_BYTES_MAX = 16 << 20
# What an answer takes at most beside its bytes and units: an empty one is not kept for nothing.
ENTRY_BYTES = 1_024
_POINTER_BYTES = 8
# Calls whose states are read together.
CALLS_GATHERED_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer to a GetTotals, serialized; the ledger's state, and which units it is about, None
    for all.
    """

    state: str
    answer: bytes
    units: tuple[str, ...] | None


# Who asks for a connection on behalf of many callers: no tenant.
FOR_ALL = ""


class KeptTotals:
    """Answers from memory if the ledger's state is that of the answer. It is asked each time, once
    for all who wait for it.
    """

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is kept at first."""
        self._ledger = ledger
        self._reader = TotalsReader(ledger)
        # The one that was asked for last is at the end.
        self._kept: OrderedDict[TotalsFilter, Kept] = OrderedDict()
        self._bytes = 0
        self._making: WeakValueDictionary[TotalsFilter, asyncio.Lock] = WeakValueDictionary()
        # A call waits for a read that begins after it has come: one that is under way may have
        # missed what the caller knows to be published.
        self._states: Gatherer[str, str] = Gatherer(
            self._read_states, CALLS_GATHERED_MAX, fails_all=lambda _error: True
        )

    async def answer(self, wanted: TotalsFilter) -> Kept:
        """The answer to a GetTotals. Raises DatabaseUnavailable."""
        state = await self._states.ask(wanted.tenant)
        if (kept := self._found(wanted, state)) is not None:
            return kept
        # Who asks for the same at once waits for the answer that is being made.
        making = self._making.setdefault(wanted, asyncio.Lock())
        async with making:
            if (kept := self._found(wanted, state)) is not None:
                return kept
            found = await self._reader.read_year(wanted, (YEAR_MIN, YEAR_MAX))
            answer = await asyncio.to_thread(_serialized, found, wanted)
            made = Kept(found.state, answer, found.units)
            self._keep(wanted, made)
        return made

    async def _read_states(self, tenants: Sequence[str]) -> list[str]:
        # Not in the turn of the one who asked first, whose other reads all would wait for.
        async with self._ledger.session(FOR_ALL) as conn:
            states = await published_states(conn, set(tenants))
        return [states[tenant] for tenant in tenants]

    def _found(self, wanted: TotalsFilter, state: str) -> Kept | None:
        kept = self._kept.get(wanted)
        if kept is None or kept.state != state:
            return None
        self._kept.move_to_end(wanted)
        return kept

    def _keep(self, wanted: TotalsFilter, made: Kept) -> None:
        before = self._kept.pop(wanted, None)
        self._bytes += _bytes(made) - (_bytes(before) if before else 0)
        self._kept[wanted] = made
        while self._bytes > KEPT_BYTES_MAX:
            self._bytes -= _bytes(self._kept.popitem(last=False)[1])


def _bytes(kept: Kept) -> int:
    units = sum(_POINTER_BYTES + sys.getsizeof(unit) for unit in kept.units or ())
    return ENTRY_BYTES + units + len(kept.answer)


def _serialized(found: YearTotals, wanted: TotalsFilter) -> bytes:
    return answer_totals(found, wanted).SerializeToString()
