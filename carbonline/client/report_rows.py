"""The sums of a report as rows, for tables, files and scripts."""

from decimal import Decimal
from typing import Any, TypeAlias

from carbonline.client.totals_frame import module_word
from carbonline.v1 import ledger_pb2

WITHOUT_KG = "entries_without_kg"
Row: TypeAlias = dict[str, Any]


def unit_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """A row for each unit."""
    return [
        {"unit": one.unit, "unit_name": one.unit_name, **sums_row(one.sums)} for one in report.units
    ]


def module_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """A row for each module."""
    return [{"module": module_word(one.module), **sums_row(one.sums)} for one in report.modules]


def year_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """A row for each year that has totals."""
    return [
        {
            "year": one.year,
            "entries": one.entry_count,
            WITHOUT_KG: one.entries_without_kg,
            "ghg_scope_1_kg": one.ghg_scope_1_kg,
            "ghg_scope_2_kg": one.ghg_scope_2_kg,
            "ghg_scope_3_kg": one.ghg_scope_3_kg,
            "total_kg": Decimal(one.total_kg_exact),
            "fte": one.fte if one.HasField("fte") else None,
            "t_per_fte": one.kg_per_fte / 1_000 if one.HasField("kg_per_fte") else None,
        }
        for one in report.years
    ]


def node_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """A row for each node of the emission tree; a node precedes its children."""
    return [
        {
            "path": one.path,
            "ghg_scope": one.ghg_scope or None,
            "total_kg": one.kg,
            "last_year_kg": one.last_year_kg if one.HasField("last_year_kg") else None,
            "additional_value": (
                one.additional_value if one.HasField("additional_value") else None
            ),
        }
        for one in report.nodes
    ]


def tree_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """A row for each unit of the tree with all units below it; a unit precedes those."""
    return [
        {
            "unit": one.unit,
            "unit_name": one.unit_name,
            "parent_unit_id": one.parent_unit or None,
            "level": one.level,
            "own_kg": Decimal(one.own_kg_exact),
            **sums_row(one.with_units_below),
        }
        for one in report.unit_tree
    ]


def whole_rows(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """One row of all; none without totals."""
    return [sums_row(report.whole)] if report.HasField("whole") else []


def sums_row(sums: ledger_pb2.ReportSums) -> Row:
    """Sums as the values of a row. Unknown ones are None."""
    return {
        "entries": sums.entry_count,
        WITHOUT_KG: sums.entries_without_kg,
        "ghg_scope_1_kg": sums.ghg_scope_1_kg,
        "ghg_scope_2_kg": sums.ghg_scope_2_kg,
        "ghg_scope_3_kg": sums.ghg_scope_3_kg,
        "total_kg": Decimal(sums.total_kg_exact),
        "last_year_kg": sums.last_year_kg if sums.HasField("last_year_kg") else None,
        "fte": sums.fte if sums.HasField("fte") else None,
        "t_per_fte": sums.kg_per_fte / 1_000 if sums.HasField("kg_per_fte") else None,
        "it_total_kg": sums.it_total_kg,
        "largest_category": sums.largest_category or None,
        "largest_category_kg": sums.largest_category_kg if sums.largest_category else None,
        # Maps of the wire have no order.
        "outcomes": dict(sorted(sums.outcome_counts.items())),
    }
