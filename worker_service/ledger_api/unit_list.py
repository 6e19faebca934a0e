"""Answers ListUnits."""

import json
from collections.abc import Mapping

from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import reference_pb2
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.ledger.pool import Ledger
from worker_service.ledger.unit_list import StoredUnit, UnitFilter, list_units
from worker_service.ledger_api.fields import UNIT_CHARACTERS_MAX, Fields

UNITS_MAX = 100
TEXT_CHARACTERS_MAX = 128


async def answer_units(
    ledger: Ledger, tenant: str, request: reference_pb2.ListUnitsRequest
) -> reference_pb2.ListUnitsResponse:
    """One page of units. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    fields.count("units", len(request.units), UNITS_MAX, least=0)
    for number, unit in enumerate(request.units[:UNITS_MAX]):
        fields.text(f"units[{number}]", unit, UNIT_CHARACTERS_MAX)
    fields.text("text", request.text, TEXT_CHARACTERS_MAX)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, str)
    fields.done()
    of = UnitFilter(
        tenant,
        comparison_keys([unit.strip() for unit in request.units]) if request.units else None,
        comparison_key(request.text.strip()) or None,
        with_usage=request.with_usage,
    )
    page = await list_units(ledger, of, keys[0] if keys else "", size)
    units = first_page([_unit(one, page.entries) for one in page.units])
    more = page.more or len(units) < len(page.units)
    last = page.units[len(units) - 1] if more and units else None
    return reference_pb2.ListUnitsResponse(
        units=units, next_page_token=page_token(last.unit_key) if last else ""
    )


def _unit(stored: StoredUnit, entries: Mapping[str, int]) -> reference_pb2.Unit:
    unit = reference_pb2.Unit(
        unit=stored.unit,
        name=stored.name,
        file_name=stored.file_name,
        blob=stored.blob,
        claim_token=stored.claim_token,
        entries=entries.get(stored.unit, 0),
        stale=stored.stale,
        parent_unit=stored.parent,
    )
    if stored.changed_at is not None:
        unit.changed_at.FromDatetime(stored.changed_at)
    if stored.mapping is not None:
        unit.mapping.update(json.loads(stored.mapping))
    return unit
