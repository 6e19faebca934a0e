"""The tables of `carbonline totals --by`: sums by unit, module, year, institution or tree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.names import module_name
from carbonline.command.row_files import in_order
from carbonline.v1 import ledger_pb2

WITHOUT_KG = "entries_without_kg"
_NUMBER = Kind.NUMBER
_ENTRIES = (
    Column("entries", kind=_NUMBER),
    Column(WITHOUT_KG, "without kg", _NUMBER),
)
_SCOPES = (
    Column("ghg_scope_1_kg", "GHG scope 1 kg", _NUMBER, decimals=0),
    Column("ghg_scope_2_kg", "GHG scope 2 kg", _NUMBER, decimals=0),
    Column("ghg_scope_3_kg", "GHG scope 3 kg", _NUMBER, decimals=0),
)
_TOTAL = Column("total_kg", "kg CO2eq", _NUMBER)
_LAST_YEAR = Column("last_year_kg", "last year kg", _NUMBER, decimals=0)
_PEOPLE = (
    Column("fte", "FTE", _NUMBER, decimals=1),
    Column("t_per_fte", "t per FTE", _NUMBER, decimals=2),
)
_BESIDE = (
    Column("it_total_kg", "IT kg", _NUMBER, decimals=0, in_tables=False),
    Column("largest_category", in_tables=False),
    Column("largest_category_kg", in_tables=False),
    Column("outcomes", in_tables=False),
)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A table: its columns, its rows, and whether the whole stands below it as a sum."""

    columns: Sequence[Column]
    rows: Callable[[ledger_pb2.GetReportResponse], list[Row]]
    has_sum: bool = True


def _units(report: ledger_pb2.GetReportResponse) -> list[Row]:
    return [
        {"unit": one.unit, "unit_name": one.unit_name, **sums_row(one.sums)} for one in report.units
    ]


def _modules(report: ledger_pb2.GetReportResponse) -> list[Row]:
    return [{"module": module_name(one.module), **sums_row(one.sums)} for one in report.modules]


def _years(report: ledger_pb2.GetReportResponse) -> list[Row]:
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


def _institution(report: ledger_pb2.GetReportResponse) -> list[Row]:
    """One row; none without totals."""
    return [sums_row(report.whole)] if report.HasField("whole") else []


def _tree(report: ledger_pb2.GetReportResponse) -> list[Row]:
    return [
        {
            # Without leading spaces, which a table would not keep.
            "node": "· " * one.path.count(".") + one.path.rpartition(".")[2],
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


GROUPINGS: Mapping[str, Grouping] = {
    "unit": Grouping(
        (
            Column("unit", kind=Kind.WORD),
            Column("unit_name", "name"),
            *_ENTRIES,
            *(Column(one.name, in_tables=False) for one in _SCOPES),
            _TOTAL,
            _LAST_YEAR,
            *_PEOPLE,
            *_BESIDE,
        ),
        _units,
    ),
    "module": Grouping(
        (
            Column("module", kind=Kind.WORD),
            # A table of 80 columns has no room for them beside GHG scopes.
            *(Column(one.name, in_tables=False) for one in _ENTRIES),
            *_SCOPES,
            Column("total_kg", "kg CO2eq", _NUMBER, decimals=0),
            _LAST_YEAR,
            *_BESIDE,
        ),
        _modules,
    ),
    "year": Grouping(
        (Column("year", kind=Kind.NUMERAL), *_ENTRIES, *_SCOPES, _TOTAL, *_PEOPLE),
        _years,
        has_sum=False,
    ),
    "institution": Grouping(
        (
            *_ENTRIES,
            *_SCOPES,
            _TOTAL,
            _LAST_YEAR,
            *_PEOPLE,
            Column("it_total_kg", "IT kg", _NUMBER),
            Column("largest_category"),
            Column("largest_category_kg", "largest category kg", _NUMBER),
            Column("outcomes"),
        ),
        _institution,
        has_sum=False,
    ),
    "tree": Grouping(
        (
            Column("node", "emission type", Kind.WORD, in_files=False),
            Column("path", in_tables=False),
            Column("ghg_scope", "GHG scope", Kind.NUMERAL),
            _TOTAL,
            _LAST_YEAR,
            Column("additional_value", in_tables=False),
        ),
        _tree,
        has_sum=False,
    ),
}


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
        "outcomes": in_order(sums.outcome_counts),
    }
