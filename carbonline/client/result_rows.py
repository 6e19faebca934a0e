"""Rows with their emissions, as flat dicts: what `carbonline results` and `results()` list."""

from collections.abc import Iterator
from typing import Any

from carbonline.client.reports import word
from carbonline.v1 import emissions_pb2, types_pb2


def result_rows(row: emissions_pb2.EntryResult) -> Iterator[dict[str, Any]]:
    """One dict per emission, or one for a row that has none."""
    same = {
        "upload": row.upload_id,
        "type": word(types_pb2.DataEntryType.items(), row.data_entry_type, "DATA_ENTRY_TYPE_"),
        "row": row.row_number,
        "unit_institutional_id": row.unit,
        "state": row.state,
        "outcome": row.outcome,
        "reason": row.detail,
        "formula": row.formula_version,
        "columns": dict(sorted(row.columns.items())),
    }
    for emission in row.emissions:
        yield {**same, **_numbers(emission)}
    if not row.emissions:
        yield same


def _numbers(emission: emissions_pb2.RowEmission) -> dict[str, Any]:
    has_quantity = emission.HasField("additional_value")
    numbers = {
        "emission_type": emission.emission_type,
        "ghg_scope": emission.ghg_scope,
        "additional_value": emission.additional_value if has_quantity else None,
        "kg_co2eq": emission.kg,
    }
    if not emission.HasField("factor"):
        return numbers
    used = emission.factor
    return {
        **numbers,
        "factor": used.factor_id,
        "factor_version": used.version,
        "factor_kind": used.kind,
        "factor_subkind": used.subkind,
        "factor_values": dict(sorted(used.values.items())),
        "factor_file": used.file_name,
    }
