"""The scope of a job or pipeline, as columns."""

from carbonline.command.columns import Column, Kind, Row
from carbonline.command.names import module_name, type_name
from carbonline.v1 import types_pb2

SCOPE_COLUMNS = (
    Column("module", in_tables=False),
    Column("type", in_tables=False),
    Column("year", kind=Kind.WORD, once_if_same=True),
    Column("unit", kind=Kind.WORD, once_if_same=True),
    Column("reference_kind", in_tables=False),
)


def scope_row(scope: types_pb2.Scope) -> Row:
    """A scope as values of SCOPE_COLUMNS. None for what it does not have."""
    return {
        "module": module_name(scope.module) or None,
        "type": type_name(scope.data_entry_type) or None,
        "year": scope.year or None,
        "unit": scope.unit or None,
        "reference_kind": scope.reference_kind or None,
    }
