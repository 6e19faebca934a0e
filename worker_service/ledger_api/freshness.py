"""Why totals are not what would be computed now, in words."""

from collections.abc import Iterator

from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.catalogue import MODULES
from worker_service.carbon.declarations import DataEntryType, UndeclaredType
from worker_service.ledger.freshness import Computable, ModuleState, TypeState


def computable_types(module: int | None) -> list[Computable]:
    """Every type of the module, or of all, as this release computes it."""
    return [
        _computable(of.id, known) for of in MODULES if module in (None, of.id) for known in of.types
    ]


def answer_freshness(state: ModuleState) -> ledger_pb2.TotalsFreshness:
    """A module's state as the contract says it."""
    stale = [one for one in state.types if not one.fresh]
    reasons = [reason for one in stale for reason in _reasons(one)]
    # While something has to be computed anew the sums cannot be right either: no news.
    if not stale and not state.summed:
        reasons.append("the sums are not renewed yet")
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


def _computable(module: int, known: DataEntryType | UndeclaredType) -> Computable:
    if isinstance(known, UndeclaredType):
        return Computable(module, known.id, known.name, "", ())
    return Computable(module, known.id, known.name, known.formula.version, tuple(known.references))


def _reasons(state: TypeState) -> Iterator[str]:
    name = state.of.name
    if not state.of.formula_version:
        yield f"this release does not compute {name}"
        return
    if state.waiting:
        are = "is" if state.waiting == 1 else "are"
        rows = _counted(state.waiting_rows, "row")
        yield f"{_counted(state.waiting, 'upload')} of {name} ({rows}) {are} not computed yet"
    if state.left_over:
        uploads = _counted(state.left_over, "upload")
        are, do = ("is", "does") if state.left_over == 1 else ("are", "do")
        yield f"{uploads} of {name} {are} still in the totals and {do} not count any more"
    if state.with_other_entries:
        yield f"entries of {name} changed since they were computed"
    if state.with_other_factors:
        yield f"factors of {name} changed since"
    if state.with_other_references:
        yield f"{' and '.join(state.of.references)} of {name} changed since"
    if state.other_formulas:
        older = ", ".join(state.other_formulas)
        yield f"{name} was computed by another formula ({older}; now {state.of.formula_version})"


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"
