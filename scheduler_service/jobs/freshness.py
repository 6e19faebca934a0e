"""What fresh means: the last totals of a module have seen every change of its data."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from scheduler_service.jobs.catalogue import MODULE_OF_TYPE


class TypeTokens(NamedTuple):
    """The last change of a data-entry type's data in a year, and what has been computed since.

    All are numbers of the one sequence of claim tokens: the larger is the younger; 0 is never.
    """

    data_entry_type: int
    changed_token: int
    """When its data changed last."""
    recalc_claim: int
    """When the last recalculation that ended well was claimed: it has seen all before."""
    recalc_end: int
    """When the last recalculation ended that may have written kilograms."""


def is_seen(tokens: TypeTokens, aggregation_claim: int) -> bool:
    """Whether totals claimed at `aggregation_claim` have seen the type's last change.

    A recalculation must have been claimed after the change, and the totals after its end.
    """
    is_recalculated = tokens.changed_token < tokens.recalc_claim
    return is_recalculated and tokens.recalc_end < aggregation_claim


def stale_types(
    types: Iterable[TypeTokens],
    aggregation_claims: Mapping[int, int],
    pending: Collection[int] = (),
) -> dict[int, tuple[int, ...]]:
    """Per module with a change, by number: its types whose last change the totals have not seen.

    A module without any is fresh. `aggregation_claims` has per module the claim token of its last
    totals. Types that are `pending` are stale: jobs that are not over may change their data.
    """
    stale: dict[int, tuple[int, ...]] = {}
    for tokens in sorted(types):
        module = MODULE_OF_TYPE[tokens.data_entry_type]
        known = stale.get(module, ())
        seen = is_seen(tokens, aggregation_claims.get(module, 0))
        stale[module] = known if seen else (*known, tokens.data_entry_type)
    for data_entry_type in pending:
        module = MODULE_OF_TYPE[data_entry_type]
        stale[module] = tuple(sorted({*stale.get(module, ()), data_entry_type}))
    return dict(sorted(stale.items()))
