"""Answers ListEmissions: what became of each row of an upload."""

from typing import Any

from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import emissions_pb2, types_pb2
from worker_service.ledger.pool import Ledger
from worker_service.ledger.row_results import ResultFilter, RowResult, list_results
from worker_service.ledger_api.fields import UNIT_CHARACTERS_MAX, Fields
from worker_service.ledger_api.stored_text import text_of
from worker_service.ledger_api.uncomputed import INTEGER_MAX, stored_columns
from worker_service.ledger_api.units import limits_of, spelt_unit


async def answer_emissions(
    ledger: Ledger, tenant: str, request: emissions_pb2.ListEmissionsRequest
) -> emissions_pb2.ListEmissionsResponse:
    """One page of them. Raises RpcError FIELD_INVALID or UNIT_NOT_FOUND."""
    fields = Fields()
    pipeline = fields.optional_identifier("pipeline_id", request.pipeline_id)
    upload = fields.optional_identifier("upload_id", request.upload_id)
    if not request.pipeline_id and not request.upload_id:
        fields.fail("pipeline_id", "is required unless upload_id is set")
    fields.known("module", request.module, types_pb2.Module)
    fields.text("unit", request.unit, UNIT_CHARACTERS_MAX)
    nodes = fields.nodes("emission_type", request.emission_type)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, int, int)
    if keys and keys[1] > INTEGER_MAX:
        fields.wrong_token("page_token")
    fields.done()
    unit = await spelt_unit(ledger, tenant, request.unit)
    limits = limits_of(request)
    own = (limits.modules_of(request.module or None), limits.units_of(unit))
    of = ResultFilter(tenant, pipeline, upload, *own, nodes)
    page = await list_results(ledger, of, (keys[0], keys[1]) if keys else (0, 0), size)
    rows = first_page([_row(row) for row in page.rows])
    last = page.last
    if len(rows) < len(page.rows):
        last = (rows[-1].upload_id, rows[-1].row_number)
    return emissions_pb2.ListEmissionsResponse(
        rows=rows,
        next_page_token=page_token(*last) if last else "",
        deleted_upload_ids=page.deleted,
    )


def _row(row: RowResult) -> emissions_pb2.EntryResult:
    return emissions_pb2.EntryResult(
        upload_id=row.upload,
        row_number=row.row_number,
        module=types_pb2.Module.ValueType(row.module),
        data_entry_type=types_pb2.DataEntryType.ValueType(row.data_entry_type),
        unit=row.unit,
        state=row.state,
        outcome=row.outcome,
        detail=row.detail,
        formula_version=row.formula_version,
        emissions=map(_emission, row.emissions),
        columns=stored_columns(row.data_entry_type, row.data),
    )


def _emission(stored: Any) -> emissions_pb2.RowEmission:
    emission = emissions_pb2.RowEmission(
        emission_type=stored["emission_type"],
        ghg_scope=stored["scope"],
        kg=stored["kg"],
        additional_value=stored["additional_value"],
    )
    if stored["factor_id"] is not None:
        values = stored["factor_values"] or {}
        emission.factor.CopyFrom(
            emissions_pb2.UsedFactor(
                factor_id=stored["factor_id"],
                version=stored["factor_version"] or 0,
                kind=stored["kind"] or "",
                subkind=stored["subkind"] or "",
                values={name: text_of(one) for name, one in values.items() if one is not None},
                file_name=stored["file_name"] or "",
            )
        )
    return emission
