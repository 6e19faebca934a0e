"""The tables of `carbonline totals --by`: sums by unit, module, year, institution or tree."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from carbonline.client.report_rows import (
    WITHOUT_KG,
    module_rows,
    node_rows,
    tree_rows,
    unit_rows,
    whole_rows,
    year_rows,
)
from carbonline.command.columns import Column, Kind, Row
from carbonline.v1 import ledger_pb2

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
    rows: Callable[[ledger_pb2.GetReportResponse], Sequence[Row]]
    has_sum: bool = True


def _tree(report: ledger_pb2.GetReportResponse) -> list[Row]:
    # Without leading spaces, which a table would not keep.
    return [
        {"node": "· " * one.path.count(".") + one.path.rpartition(".")[2], **row}
        for one, row in zip(report.nodes, node_rows(report), strict=True)
    ]


def _unit_tree(report: ledger_pb2.GetReportResponse) -> list[Row]:
    return [
        {"node": "· " * one.level + one.unit, **row}
        for one, row in zip(report.unit_tree, tree_rows(report), strict=True)
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
        unit_rows,
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
        module_rows,
    ),
    "year": Grouping(
        (Column("year", kind=Kind.NUMERAL), *_ENTRIES, *_SCOPES, _TOTAL, *_PEOPLE),
        year_rows,
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
        whole_rows,
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
    "unit_tree": Grouping(
        (
            Column("node", "unit", Kind.WORD, in_files=False),
            Column("unit", in_tables=False),
            Column("unit_name", "name"),
            Column("parent_unit_id", in_tables=False),
            Column("level", in_tables=False),
            *(Column(one.name, in_tables=False) for one in (*_ENTRIES, *_SCOPES)),
            Column("own_kg", "own kg", _NUMBER, decimals=0),
            Column("total_kg", "with units below kg", _NUMBER, decimals=0),
            _LAST_YEAR,
            *_PEOPLE,
            *_BESIDE,
        ),
        _unit_tree,
    ),
}
