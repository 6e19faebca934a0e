"""Says in words why totals are stale."""

from collections.abc import Iterator

from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.catalogue import module_by_id
from worker_service.ledger.freshness import ModuleState, TypeState


def answer_freshness(state: ModuleState) -> ledger_pb2.TotalsFreshness:
    """The freshness of a module's totals, as a message of the contract."""
    stale = [one for one in state.types if not one.fresh]
    reasons = [reason for one in stale for reason in _reasons(one)]
    # While a type must be recomputed, the sums are stale as well: saying so would add nothing.
    if not stale and not state.summed:
        reasons.append("the sums have not been recomputed yet")
    answer = ledger_pb2.TotalsFreshness(
        module=types_pb2.Module.ValueType(state.module),
        fresh=not reasons,
        reason=", ".join(reasons),
        stale_types=[types_pb2.DataEntryType.ValueType(one.of.data_entry_type) for one in stale],
    )
    moments = [one.waiting_since for one in stale] + [state.unsummed_since]
    known = [moment for moment in moments if moment is not None]
    if reasons and known:
        answer.since.FromDatetime(min(known))
    return answer


def _reasons(state: TypeState) -> Iterator[str]:
    name = state.of.name
    if not state.of.formula_version:
        yield f"this release cannot compute {name}"
        return
    if state.waiting:
        are = "is" if state.waiting == 1 else "are"
        rows = _counted(state.waiting_rows, "row")
        yield f"{_counted(state.waiting, 'upload')} of {name} ({rows}) {are} not computed yet"
    if state.left_over:
        uploads = _counted(state.left_over, "upload")
        are, count = ("is", "counts") if state.left_over == 1 else ("are", "count")
        yield f"{uploads} of {name} {are} still in the totals and no longer {count}"
    if state.with_other_entries:
        yield f"entries of {name} changed since they were computed"
    if state.with_other_factors:
        yield f"factors of {name} changed since"
    if state.with_other_references:
        read = state.of.references or ("the totals of the facilities",)
        yield f"{' and '.join(read)} of {name} changed since"
    if state.other_formulas:
        older = ", ".join(state.other_formulas)
        yield f"{name} was computed by another formula ({older}; now {state.of.formula_version})"
    if state.stale_modules:
        waited_for = " and ".join(module_by_id(one).name for one in state.stale_modules)
        yield f"{name} has shares of the totals of {waited_for}, which are stale"


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"
