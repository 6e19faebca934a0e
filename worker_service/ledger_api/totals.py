"""Turns stored totals into an answer, with exact sums beside doubles."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Context, Decimal
from itertools import groupby

from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.outcomes import without_kilograms
from worker_service.ledger.totals import StoredTotals, TotalsFilter, YearTotals
from worker_service.ledger_api.exact_text import exact_text
from worker_service.ledger_api.freshness import answer_freshness

# More digits than any sum of double precision numbers has.
_EXACT = Context(prec=2_000)


def answer_totals(found: YearTotals, wanted: TotalsFilter) -> ledger_pb2.GetTotalsResponse:
    """The answer to a GetTotals, with the sum of all units, or of a unit and those below it."""
    totals: Sequence[StoredTotals] = found.totals
    whole = _sum("", "", totals) if totals else None
    units = groupby(totals, key=lambda of_module: (of_module.unit, of_module.unit_name))
    return ledger_pb2.GetTotalsResponse(
        module_totals=map(_of_module, totals),
        unit_totals=[_sum(unit, name, modules) for (unit, name), modules in units],
        institution=whole if wanted.unit is None else None,
        with_units_below=whole if wanted.unit is not None and wanted.with_below else None,
        freshness=map(answer_freshness, found.states),
        years=found.years,
    )


def _of_module(totals: StoredTotals) -> ledger_pb2.ModuleTotals:
    answer = ledger_pb2.ModuleTotals(
        unit=totals.unit,
        unit_name=totals.unit_name,
        module=types_pb2.Module.ValueType(totals.module),
        ghg_scope_1_kg=float(totals.scope1),
        ghg_scope_2_kg=float(totals.scope2),
        ghg_scope_3_kg=float(totals.scope3),
        total_kg=float(totals.total),
        total_kg_exact=exact_text(totals.total),
        by_emission_type=totals.by_emission_type,
        by_additional_value=totals.by_additional_value,
        entry_count=totals.entry_count,
        outcome_counts=totals.outcome_counts,
        claim_token=totals.claim_token,
        entries_without_kg=without_kilograms(totals.outcome_counts),
    )
    answer.computed_at.FromDatetime(totals.computed_at)
    return answer


def _sum(unit: str, name: str, modules: Iterable[StoredTotals]) -> ledger_pb2.UnitTotals:
    scope1 = scope2 = scope3 = total = Decimal(0)
    entry_count = 0
    outcomes: Counter[str] = Counter()
    for module in modules:
        scope1 = _EXACT.add(scope1, module.scope1)
        scope2 = _EXACT.add(scope2, module.scope2)
        scope3 = _EXACT.add(scope3, module.scope3)
        total = _EXACT.add(total, module.total)
        entry_count += module.entry_count
        outcomes.update(module.outcome_counts)
    return ledger_pb2.UnitTotals(
        unit=unit,
        unit_name=name,
        ghg_scope_1_kg=float(scope1),
        ghg_scope_2_kg=float(scope2),
        ghg_scope_3_kg=float(scope3),
        total_kg=float(total),
        total_kg_exact=exact_text(total),
        entry_count=entry_count,
        outcome_counts=outcomes,
        entries_without_kg=without_kilograms(outcomes),
    )
