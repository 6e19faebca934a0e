"""Answers to GetTotals, kept for as long as nothing is published."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary

from carbonline.serving.field_checker import YEAR_MAX, YEAR_MIN
from carbonline.v1 import ledger_pb2
from worker_service.ledger.freshness import computable_types
from worker_service.ledger.pool import Ledger
from worker_service.ledger.published_state import published_state
from worker_service.ledger.totals import TotalsFilter, TotalsReader
from worker_service.ledger_api.totals import answer_totals

# Of all answers, as they are sent. In memory they take a few times as much.
KEPT_BYTES_MAX = 16 << 20


@dataclass(frozen=True, slots=True)
class _Kept:
    state: str
    answer: ledger_pb2.GetTotalsResponse
    size: int


class KeptTotals:
    """Answers from memory if the ledger's state is that of the answer. It is asked each time."""

    def __init__(self, ledger: Ledger) -> None:
        """Nothing is kept at first."""
        self._ledger = ledger
        self._reader = TotalsReader(ledger)
        # The one that was asked for last is at the end.
        self._kept: OrderedDict[TotalsFilter, _Kept] = OrderedDict()
        self._bytes = 0
        self._making: WeakValueDictionary[TotalsFilter, asyncio.Lock] = WeakValueDictionary()

    async def answer(self, wanted: TotalsFilter) -> ledger_pb2.GetTotalsResponse:
        """The answer to a GetTotals, with the institution's sums unless it is about one unit.

        It belongs to whoever asks for it next, too: do not change it. Raises DatabaseUnavailable.
        """
        async with self._ledger.session() as conn:
            state = await published_state(conn, wanted.tenant)
        if (kept := self._found(wanted, state)) is not None:
            return kept
        # Who asks for the same at once waits for the answer that is being made.
        making = self._making.setdefault(wanted, asyncio.Lock())
        async with making:
            if (kept := self._found(wanted, state)) is not None:
                return kept
            found = await self._reader.read_year(
                wanted, computable_types(wanted.module), (YEAR_MIN, YEAR_MAX)
            )
            institution = wanted.unit is None
            answer = await asyncio.to_thread(answer_totals, found, institution=institution)
            self._keep(wanted, _Kept(found.state, answer, answer.ByteSize()))
        return answer

    def _found(self, wanted: TotalsFilter, state: str) -> ledger_pb2.GetTotalsResponse | None:
        kept = self._kept.get(wanted)
        if kept is None or kept.state != state:
            return None
        self._kept.move_to_end(wanted)
        return kept.answer

    def _keep(self, wanted: TotalsFilter, made: _Kept) -> None:
        before = self._kept.pop(wanted, None)
        self._bytes += made.size - (before.size if before else 0)
        self._kept[wanted] = made
        while self._bytes > KEPT_BYTES_MAX:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
