"""Stale factors that emissions were computed with."""

from dataclasses import dataclass
from typing import Any

from carbonline.pluralize import pluralize
from worker_service.carbon.csv_source.shown import shown_text
from worker_service.ledger.factors import FactorSlice, stale_factors
from worker_service.ledger.pool import Connection
from worker_service.ledger.usage import usage_of_factors

NAMED_MAX = 20


@dataclass(frozen=True, slots=True)
class StaleInUse:
    """How many entries were computed with stale factors.

    `entries` counts them, `factors` counts the factors, `named` has the most used factors with
    their entries.
    """

    entries: int = 0
    factors: int = 0
    named: tuple[tuple[str, int], ...] = ()

    def __bool__(self) -> bool:
        """Whether any is used."""
        return self.factors > 0

    def stats(self) -> dict[str, Any]:
        """Stats of the job."""
        named = [{"factor": factor, "entries": entries} for factor, entries in self.named]
        return {
            "stale_factors_used": self.factors,
            "entries_of_stale_factors": self.entries,
            **({"stale_factors": named} if named else {}),
        }

    def sentence(self) -> str:
        """Such as "1,200 entries use 2 factors that the newest file lacks, mostly long first."."""
        use = "uses" if self.entries == 1 else "use"
        sentence = (
            f"{pluralize(self.entries, 'entry', 'entries')} {use}"
            f" {pluralize(self.factors, 'factor')} that the newest file lacks"
        )
        first = self.named[0][0]
        return f"{sentence}: {first}." if self.factors == 1 else f"{sentence}, mostly {first}."


async def stale_in_use(conn: Connection, of: FactorSlice) -> StaleInUse:
    """Count published emissions, also those that the recalculation kept.

    Reads no emissions if no factor is stale. Call it within a snapshot.
    """
    stale = {one.factor_id: one for one in await stale_factors(conn, of)}
    if not stale:
        return StaleInUse()
    usage = await usage_of_factors(conn, of.tenant, of.data_entry_type, of.year, list(stale))
    most = usage.by_key.most_common(NAMED_MAX)
    named = tuple((shown_text(stale[key].words), entries) for key, entries in most)
    return StaleInUse(usage.entries, len(usage.by_key), named)
