"""module_emission_recalc: has the types of a module recalculated, each by a job of its own."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from carbonline.pluralize import pluralize
from worker_service.carbon.catalogue import module_by_id
from worker_service.ledger.freshness import (
    Computable,
    ModuleState,
    TypeState,
    computable_types,
    read_states,
)
from worker_service.mechanics.outcome import Outcome, Succeeded, Written
from worker_service.mechanics.run import Run
from worker_service.mechanics.scheduler import ChildRequest
from worker_service.steps.stores import Stores


@dataclass(frozen=True, slots=True)
class _Types:
    """The types of the module: each is in one of the lists.

    `waiting` have seen every change, but their factors are made of totals that are stale: the
    aggregation of these is followed by their recalculation.
    """

    to_compute: Sequence[Computable]
    up_to_date: Sequence[Computable]
    waiting: Sequence[Computable]
    without_data: Sequence[Computable]

    def stats(self) -> dict[str, list[str]]:
        """The names, but for lists that are empty."""
        named = {
            "types_to_compute": self.to_compute,
            "types_up_to_date": self.up_to_date,
            "types_waiting": self.waiting,
            "types_without_data": self.without_data,
        }
        return {name: [one.name for one in types] for name, types in named.items() if types}


async def run_module_emission_recalc(stores: Stores, run: Run) -> Outcome:
    """Chains an emission_recalc of each type that has data, or only of those that are stale.

    Computes nothing itself: the results by type are those of its children. If every type is up to
    date and only the totals are not, it chains their aggregation. Raises DatabaseUnavailable.
    """
    job = run.job
    assert job.module is not None, "the scheduler checks the scope"
    assert job.year is not None
    async with stores.ledger.snapshot() as snapshot:
        states = await read_states(snapshot, job.tenant, job.year, computable_types(job.module))
    state = states[0] if states else ModuleState(job.module, (), summed=True, unsummed_since=None)
    types = _types(state, only_stale=job.payload.get("only_stale") == "yes")
    sums_only = not types.to_compute and not state.summed
    children = [
        ChildRequest(f"recalculate:{one.name}", "emission_recalc", one.data_entry_type)
        for one in types.to_compute
    ]
    children += [ChildRequest("sum", "aggregation")] if sums_only else []
    if children:
        await run.chain(children)
    said = " ".join(_sentences(types, job.module, job.year, sums_only=sums_only))
    return Succeeded(types.stats(), said, written=Written.NOTHING)


def _types(state: ModuleState, *, only_stale: bool) -> _Types:
    there = {one.of for one in state.types}
    wanted = [one for one in state.types if not only_stale or _has_work(one)]
    rest = [one for one in state.types if one not in wanted]
    return _Types(
        _in_order(one.of for one in wanted),
        _in_order(one.of for one in rest if not one.stale_modules),
        _in_order(one.of for one in rest if one.stale_modules),
        [one for one in computable_types(state.module) if one not in there],
    )


def _has_work(state: TypeState) -> bool:
    """Whether a recalculation would find something to do now."""
    return state.misses_a_change or bool(state.other_formulas)


def _in_order(types: Iterable[Computable]) -> list[Computable]:
    return sorted(types, key=lambda one: one.data_entry_type)


def _sentences(types: _Types, module: int, year: int, *, sums_only: bool) -> Iterator[str]:
    if types.to_compute:
        yield f"{pluralize(len(types.to_compute), 'type')} to compute: {_names(types.to_compute)}."
    elif sums_only:
        yield "No type to compute, but the totals lack a change, so they are summed."
    elif types.up_to_date or types.waiting:
        yield "Nothing to compute."
    else:
        yield f"No type of {module_by_id(module).name} has data in {year}: nothing to compute."
        return
    if types.up_to_date:
        yield f"Up to date: {_names(types.up_to_date)}."
    if types.waiting:
        yield f"Computed again once other modules have new totals: {_names(types.waiting)}."
    if types.without_data:
        yield f"Without data: {_names(types.without_data)}."


def _names(types: Sequence[Computable]) -> str:
    return ", ".join(one.name for one in types)
