"""Lists of current factors and places, page by page, with the files that brought them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from worker_service.ledger.pool import Ledger
from worker_service.ledger.usage import PlaceColumns, usage_of_factors, usage_of_places

# The data of a page. The row that exceeds it is the last one.
PAGE_BYTES_MAX = 2 << 20

# One row more than fits on the page shows that there is another page.
FACTORS = """
WITH page AS (
    SELECT f.factor_id, f.emission_type, f.classification, f.factor_values, f.version, f.stale,
        f.removed_at IS NOT NULL AS removed, v.file_name, v.blob, v.claim_token, v.made_at,
        m.mapping
    FROM carbon.factors AS f
    JOIN carbon.factor_versions AS v USING (tenant, factor_id, version)
    LEFT JOIN carbon.load_mappings AS m ON m.tenant = f.tenant AND m.claim_token = v.claim_token
    WHERE f.tenant = $1 AND f.data_entry_type = $2 AND f.year = $3 AND f.factor_id > $4
        AND ($5 OR f.removed_at IS NULL) AND (NOT $6 OR f.stale AND f.removed_at IS NULL)
    ORDER BY f.factor_id
    LIMIT $7
), weighed AS (
    SELECT p.*, octet_length(CAST(p.classification AS text) || CAST(p.factor_values AS text)) AS own
    FROM page AS p
)
SELECT w.*, sum(w.own) OVER (ORDER BY w.factor_id) - w.own >= $8 AS is_too_much
FROM weighed AS w
ORDER BY w.factor_id
"""
LOCATIONS = """
SELECT transport_mode, code, coalesce(left(name, 200), '') AS name,
    coalesce(left(country, 200), '') AS country, latitude, longitude, file_name, blob,
    changed_token AS claim_token, changed_at, version, stale, m.mapping
FROM carbon.locations AS l
LEFT JOIN carbon.load_mappings AS m ON m.tenant = l.tenant AND m.claim_token = l.changed_token
WHERE l.tenant = $1 AND (CAST($2 AS text) IS NULL OR transport_mode = $2)
    AND (CAST($3 AS text[]) IS NULL OR code = ANY(CAST($3 AS text[])))
    AND (
        CAST($4 AS text) IS NULL OR starts_with(code, $4)
        OR strpos(carbon.comparison_key(name), $4) > 0
        OR strpos(carbon.comparison_key(country), $4) > 0
    )
    AND (transport_mode, code) > ($5, $6) AND (NOT $7 OR stale)
ORDER BY transport_mode, code
LIMIT $8
"""


@dataclass(frozen=True, slots=True)
class FactorFilter:
    """Which factors of a tenant, type and year to list.

    `include_removed` adds those no longer used, `with_usage` the numbers of entries that use them.
    """

    tenant: str
    data_entry_type: int
    year: int
    stale_only: bool = False
    include_removed: bool = False
    with_usage: bool = False


@dataclass(frozen=True, slots=True)
class StoredFactor:
    """A factor at its current version, with the file that brought this version.

    `mapping` is how that was read, as JSON; None if as it is.
    """

    factor_id: int
    emission_type: str
    classification: Mapping[str, Any]
    factor_values: Mapping[str, Any]
    version: int
    stale: bool
    removed: bool
    file_name: str
    blob: str
    claim_token: int
    made_at: datetime
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class LocationFilter:
    """Which places of a tenant to list.

    `codes` and `text` are case-folded like stored keys. `readers` maps a transport mode to the
    columns that name its places; for these modes the entries that use each place are counted.
    """

    tenant: str
    transport_mode: str | None = None
    codes: Sequence[str] | None = None
    text: str | None = None
    stale_only: bool = False
    readers: Mapping[str, Sequence[PlaceColumns]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredLocation:
    """A place, with the file that brought it, and how that was read, as JSON."""

    transport_mode: str
    code: str
    name: str
    country: str
    latitude: float
    longitude: float
    file_name: str
    blob: str
    claim_token: int
    changed_at: datetime | None
    version: int
    stale: bool
    mapping: str | None = None


@dataclass(frozen=True, slots=True)
class FactorPage:
    """Factors by id. `entries` counts the entries that use each, if that was asked for."""

    factors: Sequence[StoredFactor]
    entries: Mapping[int, int]
    more: bool


@dataclass(frozen=True, slots=True)
class LocationPage:
    """Places by mode and code. `entries` counts the entries that name each, if asked for."""

    locations: Sequence[StoredLocation]
    entries: Mapping[tuple[str, str], int]
    more: bool


async def list_factors(
    ledger: Ledger, of: FactorFilter, after: int, rows_max: int, bytes_max: int = PAGE_BYTES_MAX
) -> FactorPage:
    """A page of at most `rows_max`, read at one moment. Raises DatabaseUnavailable."""
    slice_ = (of.tenant, of.data_entry_type, of.year)
    async with ledger.snapshot() as conn:
        wanted = (after, of.include_removed, of.stale_only, rows_max + 1, bytes_max)
        rows = await conn.fetch(FACTORS, *slice_, *wanted)
        fitting = [dict(row) for row in rows[:rows_max] if not row["is_too_much"]]
        factors = [
            StoredFactor(**{name: row[name] for name in StoredFactor.__dataclass_fields__})
            for row in fitting
        ]
        entries: Mapping[int, int] = {}
        if of.with_usage and factors:
            ids = [factor.factor_id for factor in factors]
            entries = (await usage_of_factors(conn, *slice_, ids)).by_key
    return FactorPage(factors, entries, len(rows) > len(factors))


async def list_locations(
    ledger: Ledger, of: LocationFilter, after: tuple[str, str], rows_max: int
) -> LocationPage:
    """A page of at most `rows_max`, read at one moment. Raises DatabaseUnavailable."""
    codes = None if of.codes is None else list(of.codes)
    async with ledger.snapshot() as conn:
        wanted = (of.tenant, of.transport_mode, codes, of.text)
        rows = await conn.fetch(LOCATIONS, *wanted, *after, of.stale_only, rows_max + 1)
        places = [StoredLocation(**row) for row in rows[:rows_max]]
        entries: dict[tuple[str, str], int] = {}
        for mode, readers in of.readers.items():
            there = [place.code for place in places if place.transport_mode == mode]
            if there:
                used = (await usage_of_places(conn, of.tenant, readers, there)).by_key
                entries.update({(mode, code): number for code, number in used.items()})
    return LocationPage(places, entries, len(rows) > len(places))
