"""Answers ListUploads: the uploads of a year, or one of them."""

import json
from typing import Any

from carbonline.serving.interceptor import caller
from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import ledger_pb2, types_pb2
from worker_service.ledger.pool import Ledger
from worker_service.ledger.upload_list import NEWEST, UploadFilter, list_uploads
from worker_service.ledger.uploads import source_key
from worker_service.ledger_api.fields import KIND_CHARACTERS_MAX, UNIT_CHARACTERS_MAX, Fields
from worker_service.ledger_api.units import limits_of, spelt_unit


async def answer_uploads(
    ledger: Ledger, tenant: str, request: ledger_pb2.ListUploadsRequest
) -> ledger_pb2.ListUploadsResponse:
    """One page of them. Raises RpcError FIELD_INVALID or UNIT_NOT_FOUND, and PERMISSION_DENIED for
    an upload that is asked for by its number alone, and is not among the caller's.
    """
    before, size, nodes = _checked(request)
    of = UploadFilter(
        tenant,
        request.upload_id or None,
        request.year or None,
        request.module or None,
        request.data_entry_type or None,
        await spelt_unit(ledger, tenant, request.unit),
        source_key(request.source) if request.source else None,
        request.include_retired or bool(request.upload_id),
        nodes,
        limits_of(request),
    )
    rows = await list_uploads(ledger, of, before, size + 1)
    for row in rows if is_by_number(request) else ():
        caller().check_scope(row["module"], row["unit"])
    uploads = first_page([_upload(row) for row in rows[:size]])
    more = len(uploads) < len(rows)
    return ledger_pb2.ListUploadsResponse(
        uploads=uploads, next_page_token=page_token(uploads[-1].upload_id) if more else ""
    )


def is_by_number(request: ledger_pb2.ListUploadsRequest) -> bool:
    """Whether the request names one upload alone, which then must be the caller's."""
    scoped = request.module or request.unit or request.leave_out_others
    return bool(request.upload_id and not scoped)


def _checked(
    request: ledger_pb2.ListUploadsRequest,
) -> tuple[int, int, tuple[str, ...] | None]:
    """The upload that the page begins after, how many uploads it has, and the nodes asked for."""
    fields = Fields()
    # An upload that is asked for by its number tells its year.
    if request.year or not request.upload_id:
        fields.year("year", request.year)
    fields.optional_identifier("upload_id", request.upload_id)
    fields.known("module", request.module, types_pb2.Module)
    fields.known("data_entry_type", request.data_entry_type, types_pb2.DataEntryType)
    fields.text("unit", request.unit, UNIT_CHARACTERS_MAX)
    fields.text("source", request.source, KIND_CHARACTERS_MAX)
    nodes = fields.nodes("emission_type", request.emission_type)
    size = fields.rows_of_page(request.page_size)
    before = fields.page_keys("page_token", request.page_token, int)
    fields.done()
    return before[0] if before else NEWEST, size, nodes


def _upload(row: Any) -> ledger_pb2.Upload:
    upload = ledger_pb2.Upload(
        upload_id=row["upload_id"],
        module=row["module"],
        data_entry_type=row["data_entry_type"],
        year=row["year"],
        unit=row["unit"] or "",
        source=row["source"],
        file_name=row["file_name"],
        sheet=row["sheet"],
        blob=row["blob"],
        entry_count=row["row_count"],
        rows_rejected=row["rows_rejected"],
        rows_warned=row["rows_warned"],
        pipeline_id=row["pipeline_id"] or 0,
        submitted_by=row["submitted_by"],
        total_kg=row["total_kg"],
        entries_without_kg=row["entries_without_kg"],
        state=_state(row),
        emission_type_kg=row["emission_type_kg"],
        replaced_by=row["replaced_by"] or 0,
        retired_by_pipeline=row["retired_by_pipeline"] or 0,
    )
    upload.published_at.FromDatetime(row["published_at"])
    if row["mapping"] is not None:
        upload.mapping.update(json.loads(row["mapping"]))
    if row["retired_at"] is not None:
        upload.retired_at.FromDatetime(row["retired_at"])
    return upload


def _state(row: Any) -> ledger_pb2.UploadState.ValueType:
    if row["counts"]:
        return ledger_pb2.UPLOAD_STATE_COUNTS
    if row["replaced_by"] is not None:
        return ledger_pb2.UPLOAD_STATE_REPLACED
    return ledger_pb2.UPLOAD_STATE_WITHDRAWN
