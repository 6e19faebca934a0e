"""A year's report as plain values: what `carbonline report` shows on its page."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carbonline.client.report_gaps import gaps
from carbonline.client.report_rows import (
    Row,
    module_rows,
    node_rows,
    tree_rows,
    unit_rows,
    whole_rows,
    year_rows,
)
from carbonline.v1 import ledger_pb2


@dataclass(frozen=True, slots=True)
class AnnualReport:
    """The sums of a year, in kg CO2eq, and sentences on what is `missing` from them.

    `whole` is what the report is about, the institution or `unit`; None without totals. The lists
    have a dict per unit, module, node of the emission tree and year, with the keys that
    `carbonline totals --by` writes: `polars.DataFrame(report.units)` makes a frame. `unit_tree` has
    units with all units below them, `own_kg` beside `total_kg`; it is empty without a tree.
    """

    year: int
    unit: str
    whole: Mapping[str, Any] | None
    units: Sequence[Mapping[str, Any]]
    modules: Sequence[Mapping[str, Any]]
    nodes: Sequence[Mapping[str, Any]]
    years: Sequence[Mapping[str, Any]]
    unit_tree: Sequence[Mapping[str, Any]]
    missing: tuple[str, ...]


def annual_report(
    report: ledger_pb2.GetReportResponse, year: int, unit: str, unknown: Sequence[str]
) -> AnnualReport:
    """The values of an answer. `unknown` are sentences on what could not be found out."""
    return AnnualReport(
        year,
        unit,
        next(iter(_plain(whole_rows(report))), None),
        _plain(unit_rows(report)),
        _plain(module_rows(report)),
        _plain(node_rows(report)),
        _plain(year_rows(report)),
        _plain(tree_rows(report)),
        (*gaps(report, year), *unknown),
    )


def _plain(rows: Iterable[Row]) -> list[Row]:
    """Decimals as doubles, like those beside them."""
    return [
        {name: float(one) if isinstance(one, Decimal) else one for name, one in row.items()}
        for row in rows
    ]
