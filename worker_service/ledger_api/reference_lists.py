"""Answers ListFactors and ListLocations."""

import json
from collections.abc import Mapping
from typing import Any

from carbonline.serving.pages import first_page, page_token
from carbonline.v1 import reference_pb2, types_pb2
from worker_service.carbon.catalogue import place_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS
from worker_service.carbon.parse.values import comparison_key, comparison_keys
from worker_service.ledger.pool import Ledger
from worker_service.ledger.reference_lists import (
    FactorFilter,
    LocationFilter,
    StoredFactor,
    StoredLocation,
    list_factors,
    list_locations,
)
from worker_service.ledger.usage import PlaceColumns
from worker_service.ledger_api.fields import Fields
from worker_service.ledger_api.stored_text import text_of

CODES_MAX = 100
CODE_CHARACTERS_MAX = 128
TEXT_CHARACTERS_MAX = 128


async def answer_factors(
    ledger: Ledger, tenant: str, request: reference_pb2.ListFactorsRequest
) -> reference_pb2.ListFactorsResponse:
    """One page of them. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    fields.year("year", request.year)
    fields.known("data_entry_type", request.data_entry_type, types_pb2.DataEntryType, needed=True)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, int)
    fields.done()
    of = FactorFilter(
        tenant,
        request.data_entry_type,
        request.year,
        stale_only=request.stale_only,
        include_removed=request.include_removed,
        with_usage=request.with_usage,
    )
    page = await list_factors(ledger, of, keys[0] if keys else 0, size)
    factors = first_page([_factor(one, page.entries) for one in page.factors])
    more = page.more or len(factors) < len(page.factors)
    token = page_token(factors[-1].factor_id) if more and factors else ""
    return reference_pb2.ListFactorsResponse(factors=factors, next_page_token=token)


async def answer_locations(
    ledger: Ledger, tenant: str, request: reference_pb2.ListLocationsRequest
) -> reference_pb2.ListLocationsResponse:
    """One page of them. Raises RpcError FIELD_INVALID."""
    fields = Fields()
    _check_locations(fields, request)
    size = fields.rows_of_page(request.page_size)
    keys = fields.page_keys("page_token", request.page_token, str, str)
    fields.done()
    of = LocationFilter(
        tenant,
        request.transport_mode or None,
        comparison_keys([code.strip() for code in request.codes]) if request.codes else None,
        comparison_key(request.text.strip()) or None,
        request.stale_only,
        _readers() if request.with_usage else {},
    )
    after = (keys[0], keys[1]) if keys else ("", "")
    page = await list_locations(ledger, of, after, size)
    places = first_page([_location(one, page.entries) for one in page.locations])
    more = page.more or len(places) < len(page.locations)
    last = page.locations[len(places) - 1] if more and places else None
    return reference_pb2.ListLocationsResponse(
        locations=places,
        next_page_token=page_token(last.transport_mode, last.code) if last else "",
    )


def _check_locations(fields: Fields, request: reference_pb2.ListLocationsRequest) -> None:
    if request.transport_mode and request.transport_mode not in LOCATION_COLUMNS:
        fields.fail("transport_mode", f"must be one of {', '.join(LOCATION_COLUMNS)}")
    fields.count("codes", len(request.codes), CODES_MAX, least=0)
    for number, code in enumerate(request.codes[:CODES_MAX]):
        fields.text(f"codes[{number}]", code, CODE_CHARACTERS_MAX)
    fields.text("text", request.text, TEXT_CHARACTERS_MAX)


def _readers() -> dict[str, list[PlaceColumns]]:
    return {
        mode: [PlaceColumns(*reader) for reader in place_columns(mode)] for mode in LOCATION_COLUMNS
    }


def _factor(stored: StoredFactor, entries: Mapping[int, int]) -> reference_pb2.Factor:
    factor = reference_pb2.Factor(
        factor_id=stored.factor_id,
        emission_type=stored.emission_type,
        classification=_texts(stored.classification),
        values=_texts(stored.factor_values),
        version=stored.version,
        stale=stored.stale and not stored.removed,
        removed=stored.removed,
        file_name=stored.file_name,
        blob=stored.blob,
        claim_token=stored.claim_token,
        entries=entries.get(stored.factor_id, 0),
    )
    factor.made_at.FromDatetime(stored.made_at)
    if stored.mapping is not None:
        factor.mapping.update(json.loads(stored.mapping))
    return factor


def _location(
    stored: StoredLocation, entries: Mapping[tuple[str, str], int]
) -> reference_pb2.Location:
    location = reference_pb2.Location(
        transport_mode=stored.transport_mode,
        code=stored.code.upper(),
        name=stored.name,
        country=stored.country,
        latitude=stored.latitude,
        longitude=stored.longitude,
        file_name=stored.file_name,
        blob=stored.blob,
        claim_token=stored.claim_token,
        entries=entries.get((stored.transport_mode, stored.code), 0),
        version=stored.version,
        stale=stored.stale,
    )
    if stored.changed_at is not None:
        location.changed_at.FromDatetime(stored.changed_at)
    if stored.mapping is not None:
        location.mapping.update(json.loads(stored.mapping))
    return location


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of(value) for name, value in values.items() if value is not None}
