"""Answers ListUncomputed: the entries of a year that have no kilograms."""

from collections.abc import Mapping
from typing import Any

from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.declarations import OVERRIDE_KEY
from worker_service.ledger.freshness import computable_types
from worker_service.ledger.limits import Limits
from worker_service.ledger.pool import Ledger
from worker_service.ledger.uncomputed import (
    RowPosition,
    UncomputedFilter,
    UncomputedRow,
    list_uncomputed,
)
from worker_service.ledger_api.fields import KIND_CHARACTERS_MAX, UNIT_CHARACTERS_MAX, Fields
from worker_service.ledger_api.stored_text import code_columns, code_of, text_of
from worker_service.ledger_api.units import limits_of, spelt_unit

# The override's column in a file.
OVERRIDE_COLUMN = "kg_co2eq"
# Of a data-entry type and of a row number, which are a smallint and an integer in the tables.
SMALLINT_MAX, INTEGER_MAX = 2**15 - 1, 2**31 - 1


async def answer_uncomputed(
    ledger: Ledger, tenant: str, request: ledger_pb2.ListUncomputedRequest
) -> ledger_pb2.ListUncomputedResponse:
    """One page of them. Raises RpcError FIELD_INVALID or UNIT_NOT_FOUND."""
    after, size = _checked(request)
    limits = limits_of(request)
    of = UncomputedFilter(
        tenant,
        request.year,
        _types(request, limits),
        limits.units_of(await spelt_unit(ledger, tenant, request.unit)),
        request.outcome or None,
        request.upload_id or None,
    )
    page = await list_uncomputed(ledger, of, after, size)
    entries = first_page([_entry(row) for row in page.rows])
    ends_at = page.ends_at if len(entries) == len(page.rows) else page.rows[len(entries) - 1].place
    return ledger_pb2.ListUncomputedResponse(
        entries=entries, next_page_token=_token(ends_at) if ends_at is not None else ""
    )


def _checked(request: ledger_pb2.ListUncomputedRequest) -> tuple[RowPosition, int]:
    """The entry that the page begins after, and how many entries it has."""
    fields = Fields()
    fields.year("year", request.year)
    fields.known("module", request.module, types_pb2.Module)
    fields.known("data_entry_type", request.data_entry_type, types_pb2.DataEntryType)
    fields.text("unit", request.unit, UNIT_CHARACTERS_MAX)
    fields.text("outcome", request.outcome, KIND_CHARACTERS_MAX)
    fields.optional_identifier("upload_id", request.upload_id)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, int, int, int)
    after = RowPosition(*keys) if keys else RowPosition()
    if after.data_entry_type > SMALLINT_MAX or after.row_number > INTEGER_MAX:
        fields.wrong_token("page_token")
    fields.done()
    return after, size


def _types(request: ledger_pb2.ListUncomputedRequest, limits: Limits) -> list[int]:
    return [
        one.data_entry_type
        for one in computable_types(request.module or None)
        if limits.has_module(one.module) and request.data_entry_type in (0, one.data_entry_type)
    ]


def _token(place: RowPosition) -> str:
    return page_token(place.data_entry_type, place.upload, place.row_number)


def _entry(row: UncomputedRow) -> ledger_pb2.UncomputedEntry:
    return ledger_pb2.UncomputedEntry(
        upload_id=row.place.upload,
        row_number=row.place.row_number,
        module=types_pb2.Module.ValueType(row.module),
        data_entry_type=types_pb2.DataEntryType.ValueType(row.place.data_entry_type),
        unit=row.unit,
        outcome=row.outcome,
        detail=row.detail,
        columns=stored_columns(row.place.data_entry_type, row.data or {}),
    )


def stored_columns(data_entry_type: int, data: Mapping[str, Any]) -> dict[str, str]:
    """A row's values by column, as text; empty ones are left out."""
    columns = {}
    codes = code_columns(data_entry_type)
    for key, value in data.items():
        if value is not None and key not in codes.values():
            column = OVERRIDE_COLUMN if key == OVERRIDE_KEY else key
            columns[column] = text_of(value)
    for column, written in codes.items():
        if column in columns:
            columns[column] = data.get(written) or code_of(columns[column])
    return columns
