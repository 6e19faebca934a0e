"""Answers GetReport: sums of module totals, and what is missing from them."""

import asyncio
from decimal import Decimal

from carbonline.serving.interceptor import caller
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.catalogue import MODULES, module_of
from worker_service.carbon.outcomes import BOOKED
from worker_service.carbon.report import FTE_COLUMN, FTE_TYPE, NodeSums, Sums, kg_per_fte, report
from worker_service.carbon.unit_tree import UnitNode, unit_tree
from worker_service.ledger.pool import Ledger
from worker_service.ledger.report import People, ReportInputs, YearSums, read_report
from worker_service.ledger.totals import TotalsFilter
from worker_service.ledger_api.exact_text import exact_text
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.freshness import answer_freshness
from worker_service.ledger_api.units import check_units_below, limits_of, spelt_unit


async def answer_report(
    ledger: Ledger, tenant: str, request: ledger_pb2.GetReportRequest
) -> ledger_pb2.GetReportResponse:
    """The report of a year. Raises RpcError FIELD_INVALID or UNIT_NOT_FOUND."""
    fields = Fields()
    fields.totals(request)
    fields.done()
    module = request.module or None
    unit = await spelt_unit(ledger, tenant, request.unit)
    limits = limits_of(request)
    of = TotalsFilter(tenant, request.year, module, unit, request.with_units_below, limits)
    # People are rows of a module of their own.
    modules = caller().modules
    sees_people = modules is None or module_of(FTE_TYPE).id in modules
    people = People(FTE_TYPE, FTE_COLUMN) if sees_people else None
    found = await read_report(ledger, of, people, BOOKED)
    check_units_below(module, unit, found.units)
    return await asyncio.to_thread(_answer, found, of)


def _answer(found: ReportInputs, of: TotalsFilter) -> ledger_pb2.GetReportResponse:
    made = report(found.totals, found.before, found.fte)
    with_data = {one.module for one in found.states} | {one.module for one in found.totals}
    return ledger_pb2.GetReportResponse(
        whole=None if made.whole is None else _sums(made.whole),
        units=[
            ledger_pb2.UnitReport(unit=unit, unit_name=name, sums=_sums(sums))
            for (unit, name), sums in made.units.items()
        ],
        modules=[
            ledger_pb2.ModuleReport(module=types_pb2.Module.ValueType(number), sums=_sums(sums))
            for number, sums in made.modules.items()
        ],
        nodes=map(_node, made.nodes),
        years=map(_year, found.years),
        freshness=map(answer_freshness, found.states),
        modules_without_data=[
            types_pb2.Module.ValueType(one.id)
            for one in MODULES
            if of.has_module(one.id) and one.id not in with_data
        ],
        units_without_data=found.units_without,
        units_without_data_count=found.units_without_count,
        unit_tree=map(
            _unit, unit_tree(made.units, found.placed, found.fte) if found.placed else ()
        ),
        modules_of_others=[
            types_pb2.Module.ValueType(one.id)
            for one in MODULES
            if of.module is None and not of.has_module(one.id)
        ],
        units_of_others_count=found.units_of_others,
    )


def _sums(sums: Sums) -> ledger_pb2.ReportSums:
    largest, largest_kg = sums.largest
    return ledger_pb2.ReportSums(
        ghg_scope_1_kg=float(sums.scope1),
        ghg_scope_2_kg=float(sums.scope2),
        ghg_scope_3_kg=float(sums.scope3),
        total_kg=float(sums.total),
        total_kg_exact=exact_text(sums.total),
        last_year_kg=_number(sums.last_year),
        it_total_kg=float(sums.it_total),
        largest_category=largest,
        largest_category_kg=float(largest_kg),
        fte=_number(sums.fte),
        kg_per_fte=sums.kg_per_fte,
        entry_count=sums.entry_count,
        outcome_counts=sums.outcomes,
        entries_without_kg=sums.without_kilograms,
    )


def _node(node: NodeSums) -> ledger_pb2.NodeReport:
    return ledger_pb2.NodeReport(
        path=node.path,
        kg=float(node.kg),
        last_year_kg=_number(node.last_year),
        additional_value=_number(node.additional),
        ghg_scope=node.scope or 0,
    )


def _unit(node: UnitNode) -> ledger_pb2.UnitTreeNode:
    return ledger_pb2.UnitTreeNode(
        unit=node.unit,
        unit_name=node.name,
        parent_unit=node.parent or "",
        level=node.level,
        own_kg=float(node.own.total),
        own_kg_exact=exact_text(node.own.total),
        with_units_below=_sums(node.below),
    )


def _year(year: YearSums) -> ledger_pb2.YearReport:
    return ledger_pb2.YearReport(
        year=year.year,
        ghg_scope_1_kg=float(year.scope1),
        ghg_scope_2_kg=float(year.scope2),
        ghg_scope_3_kg=float(year.scope3),
        total_kg=float(year.total),
        total_kg_exact=exact_text(year.total),
        fte=_number(year.fte),
        kg_per_fte=kg_per_fte(year.total, year.fte),
        entry_count=year.entry_count,
        entries_without_kg=year.entries_without_kg,
    )


def _number(exact: Decimal | None) -> float | None:
    return None if exact is None else float(exact)
