"""ListFactors and ListLocations: requests checked, and factors and places as the contract says."""

from collections.abc import Iterable, Mapping
from typing import Any

from carbonline.serving.errors import Violation, invalid
from carbonline.v1 import reference_pb2, types_pb2
from worker_service.carbon.catalogue import place_columns
from worker_service.carbon.parse.references import LOCATION_COLUMNS
from worker_service.carbon.parse.values import folded_key, folded_keys
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
from worker_service.ledger_api import fields
from worker_service.ledger_api.pages import (
    first_page,
    keys_of_token,
    page_size,
    page_token,
    size_faults,
    text_of,
    token_faults,
)

CODES_MAX = 100
CODE_CHARACTERS_MAX = 128
TEXT_CHARACTERS_MAX = 128


async def answer_factors(
    ledger: Ledger, tenant: str, request: reference_pb2.ListFactorsRequest
) -> reference_pb2.ListFactorsResponse:
    """A page. Raises FIELD_INVALID."""
    keys = keys_of_token(request.page_token, int)
    wrong = [
        *fields.year("year", request.year),
        *_needed_type(request.data_entry_type),
        *size_faults("page_size", request.page_size),
        *token_faults("page_token", keys),
    ]
    if wrong:
        raise invalid(wrong)
    of = FactorFilter(
        tenant,
        request.data_entry_type,
        request.year,
        stale_only=request.stale_only,
        with_removed=request.with_removed,
        with_usage=request.with_usage,
    )
    after = keys[0] if keys else 0
    page = await list_factors(ledger, of, after, page_size(request.page_size))
    factors = first_page([_factor(one, page.entries) for one in page.factors])
    more = page.more or len(factors) < len(page.factors)
    token = page_token(factors[-1].factor_id) if more and factors else ""
    return reference_pb2.ListFactorsResponse(factors=factors, next_page_token=token)


async def answer_locations(
    ledger: Ledger, tenant: str, request: reference_pb2.ListLocationsRequest
) -> reference_pb2.ListLocationsResponse:
    """A page. Raises FIELD_INVALID."""
    keys = keys_of_token(request.page_token, str, str)
    wrong = [
        *_location_faults(request),
        *size_faults("page_size", request.page_size),
        *token_faults("page_token", keys),
    ]
    if wrong:
        raise invalid(wrong)
    of = LocationFilter(
        tenant,
        request.transport_mode or None,
        folded_keys([code.strip() for code in request.codes]) if request.codes else None,
        folded_key(request.text.strip()) or None,
        _readers() if request.with_usage else {},
    )
    after = (keys[0], keys[1]) if keys else ("", "")
    page = await list_locations(ledger, of, after, page_size(request.page_size))
    places = first_page([_location(one, page.entries) for one in page.locations])
    more = page.more or len(places) < len(page.locations)
    last = page.locations[len(places) - 1] if more and places else None
    return reference_pb2.ListLocationsResponse(
        locations=places,
        next_page_token=page_token(last.transport_mode, last.code) if last else "",
    )


def _needed_type(number: int) -> Iterable[Violation]:
    if number == 0:
        yield Violation("data_entry_type", "is needed")
    yield from fields.known("data_entry_type", number, types_pb2.DataEntryType)


def _location_faults(request: reference_pb2.ListLocationsRequest) -> Iterable[Violation]:
    if request.transport_mode and request.transport_mode not in LOCATION_COLUMNS:
        yield Violation("transport_mode", f"must be one of {', '.join(LOCATION_COLUMNS)}")
    if len(request.codes) > CODES_MAX:
        yield Violation("codes", f"must have at most {CODES_MAX} elements")
    for number, code in enumerate(request.codes[:CODES_MAX]):
        yield from fields.text(f"codes[{number}]", code, CODE_CHARACTERS_MAX)
    yield from fields.text("text", request.text, TEXT_CHARACTERS_MAX)


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
    )
    if stored.changed_at is not None:
        location.changed_at.FromDatetime(stored.changed_at)
    return location


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: text_of(value) for name, value in values.items() if value is not None}
