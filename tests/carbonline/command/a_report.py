"""A report of an invented university, with a name that would be harm in HTML and on a terminal."""

from typing import Any

from carbonline.v1 import ledger_pb2, types_pb2

EVIL = '<script>alert("1")</script>\x1b[31m & Co'
_NODES = {
    "food": (310_000.0, 300_000.0),
    "food.vegetarian": (110_000.0, 100_000.0),
    "food.non_vegetarian": (200_000.0, 200_000.0),
    "professional_travel": (1_234_567.8, 1_500_000.0),
    "professional_travel.train": (34_567.8, 0.0),
    "professional_travel.plane": (1_200_000.0, 1_500_000.0),
    "professional_travel.plane.eco": (1_200_000.0, 1_500_000.0),
    "buildings": (455_432.2, 500_000.0),
    "buildings.combustion": (455_432.2, 500_000.0),
}
_MODULES = {
    types_pb2.MODULE_HEADCOUNT: ("food", 300_000.0),
    types_pb2.MODULE_PROFESSIONAL_TRAVEL: ("professional_travel", 1_500_000.0),
    types_pb2.MODULE_BUILDINGS: ("buildings", 500_000.0),
}
TOTAL = 2_000_000.0


def sums(kg: float, last: float | None, **more: Any) -> ledger_pb2.ReportSums:
    """Sums of a unit or module, all in GHG scope 3."""
    return ledger_pb2.ReportSums(
        ghg_scope_3_kg=kg, total_kg=kg, total_kg_exact=f"{kg}", last_year_kg=last, **more
    )


def a_report(**more: Any) -> ledger_pb2.GetReportResponse:
    """The year 2024, beside 2023."""
    units = [("0828", "Institute of Physics", 1_000_000.0), ("0829", EVIL, 500_000.0)]
    units += [(f"1{n:03}", f"Laboratory of a rather long name {n}", 25_000.0) for n in range(20)]
    given: dict[str, Any] = {
        "whole": ledger_pb2.ReportSums(
            ghg_scope_1_kg=455_432.2,
            ghg_scope_2_kg=0,
            ghg_scope_3_kg=1_544_567.8,
            total_kg=TOTAL,
            total_kg_exact="2000000.0",
            last_year_kg=2_300_000,
            it_total_kg=0,
            largest_category="professional_travel",
            largest_category_kg=1_234_567.8,
            fte=400,
            kg_per_fte=5_000,
            entry_count=12_345,
            outcome_counts={"computed": 12_345},
        ),
        "units": [
            ledger_pb2.UnitReport(
                unit=unit, unit_name=name, sums=sums(kg, kg, fte=100, kg_per_fte=kg / 100)
            )
            for unit, name, kg in units
        ],
        "modules": [
            ledger_pb2.ModuleReport(
                module=module, sums=sums(_NODES[root][0], last, entry_count=4_115)
            )
            for module, (root, last) in _MODULES.items()
        ],
        "nodes": [
            ledger_pb2.NodeReport(path=path, kg=kg, last_year_kg=last)
            for path, (kg, last) in _NODES.items()
        ],
        "years": [
            ledger_pb2.YearReport(year=2023, total_kg=2_300_000, total_kg_exact="2300000"),
            ledger_pb2.YearReport(
                year=2024, total_kg=TOTAL, total_kg_exact="2000000", fte=400, kg_per_fte=5_000
            ),
        ],
        **more,
    }
    return ledger_pb2.GetReportResponse(**given)
