"""ListUncomputed: the request checked, and entries without kilograms as the contract says them."""

from collections.abc import Mapping
from typing import Any

from carbonline.serving.errors import invalid
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.carbon.declarations import OVERRIDE_KEY
from worker_service.ledger.pool import Ledger
from worker_service.ledger.uncomputed import (
    RowPosition,
    UncomputedFilter,
    UncomputedRow,
    list_uncomputed,
)
from worker_service.ledger_api import fields
from worker_service.ledger_api.freshness import computable_types
from worker_service.ledger_api.pages import (
    first_page,
    numbers_of_token,
    page_size,
    page_token,
    size_faults,
    text_of,
    token_faults,
)
from worker_service.ledger_api.units import spelt_unit

# The override's column in a file.
OVERRIDE_COLUMN = "kg_co2eq"
_PLACES_OF_A_TOKEN = 3


async def answer_uncomputed(
    ledger: Ledger, tenant: str, request: ledger_pb2.ListUncomputedRequest
) -> ledger_pb2.ListUncomputedResponse:
    """A page. Raises FIELD_INVALID and UNIT_NOT_FOUND."""
    after = _checked(request)
    of = UncomputedFilter(
        tenant,
        request.year,
        _types(request),
        await spelt_unit(ledger, tenant, request.unit),
        request.outcome or None,
        request.upload_id or None,
    )
    page = await list_uncomputed(ledger, of, after, page_size(request.page_size))
    entries = first_page([_entry(row) for row in page.rows])
    ends_at = page.ends_at if len(entries) == len(page.rows) else page.rows[len(entries) - 1].place
    return ledger_pb2.ListUncomputedResponse(
        entries=entries, next_page_token=_token(ends_at) if ends_at is not None else ""
    )


def _checked(request: ledger_pb2.ListUncomputedRequest) -> RowPosition:
    numbers = numbers_of_token(request.page_token, _PLACES_OF_A_TOKEN)
    if numbers and (numbers[0] >= 1 << 15 or numbers[2] >= 1 << 31):
        numbers = None
    wrong = [
        *fields.year("year", request.year),
        *fields.known("module", request.module, types_pb2.Module),
        *fields.known("data_entry_type", request.data_entry_type, types_pb2.DataEntryType),
        *fields.text("unit", request.unit, fields.UNIT_CHARACTERS_MAX),
        *fields.text("outcome", request.outcome, fields.KIND_CHARACTERS_MAX),
        *fields.natural("upload_id", request.upload_id),
        *size_faults("page_size", request.page_size),
        *token_faults("page_token", numbers),
    ]
    if wrong:
        raise invalid(wrong)
    return RowPosition(*numbers) if numbers else RowPosition()


def _types(request: ledger_pb2.ListUncomputedRequest) -> list[int]:
    known = [one.data_entry_type for one in computable_types(request.module or None)]
    return [one for one in known if request.data_entry_type in (0, one)]


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
        columns=_columns(row.data or {}),
    )


def _columns(data: Mapping[str, Any]) -> dict[str, str]:
    return {
        OVERRIDE_COLUMN if key == OVERRIDE_KEY else key: text_of(value)
        for key, value in data.items()
        if value is not None
    }
