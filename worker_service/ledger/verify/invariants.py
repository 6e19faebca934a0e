"""The invariants of the ledger's data: their numbers, their sentences, and what breaks them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

TOKENS, TOTALS = 12, 13
# The scheduler has those with smaller numbers: together they are one list.
INVARIANTS: Mapping[int, str] = MappingProxyType(
    {
        TOKENS: "No data carries a claim token that is newer than the fence of its ledger scope.",
        TOTALS: "Totals that are not stale equal a recomputation from scratch.",
    }
)
# Of each kind on a page. Who breaks so much is not helped by more.
FINDINGS_MAX = 100


class Finding(NamedTuple):
    """Something that breaks an invariant. `year` is 0 where it is about no year."""

    invariant: int
    ledger_scope: str
    year: int
    detail: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is verified of a tenant's totals and emissions; None means all. Those that were computed
    before `changed_since` are left out.
    """

    tenant: str
    year: int | None = None
    module: int | None = None
    changed_since: datetime | None = None


def may_have_more(found: Iterable[Finding]) -> bool:
    """Whether a page that lists these may have left out others of a kind."""
    return max(Counter(one.invariant for one in found).values(), default=0) >= FINDINGS_MAX
