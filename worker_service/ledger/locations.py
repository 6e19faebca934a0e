"""Places by transport mode: a mode is replaced whole."""

from collections.abc import Mapping

import polars as pl

from worker_service.ledger.frames import copy_in, copy_out
from worker_service.ledger.input_versions import mark_changed, reference_input
from worker_service.ledger.pool import Connection

KIND = "locations"
LOCATION_COLUMNS = ["tenant", "transport_mode", "code", "country", "name", "latitude", "longitude"]
LOCATION_SCHEMA: Mapping[str, type[pl.DataType]] = {
    "transport_mode": pl.String,
    "code": pl.String,
    "latitude": pl.Float64,
    "longitude": pl.Float64,
}

CLEAR_MODE = "DELETE FROM carbon.locations WHERE tenant = $1 AND transport_mode = $2 RETURNING code"
GONE = """
SELECT count(*)
FROM unnest(CAST($3 AS text[])) AS before (code)
WHERE NOT EXISTS (
    SELECT FROM carbon.locations AS l
    WHERE l.tenant = $1 AND l.transport_mode = $2 AND l.code = before.code
)
"""
LOCATIONS = """
SELECT transport_mode, code, latitude, longitude
FROM carbon.locations
WHERE tenant = $1
ORDER BY transport_mode, code
"""


def location_rows(tenant: str, places: pl.DataFrame) -> pl.DataFrame:
    """transport_mode, code, country, name, latitude, longitude -> the rows of the table."""
    return places.select(pl.lit(tenant).alias("tenant"), *LOCATION_COLUMNS[1:])


async def replace_locations(
    conn: Connection, tenant: str, transport_mode: str, rows: bytes, claim_token: int
) -> int:
    """Within a publication: `rows` are now the places of the mode; how many others are gone."""
    before = [row["code"] for row in await conn.fetch(CLEAR_MODE, tenant, transport_mode)]
    await copy_in(conn, "locations", LOCATION_COLUMNS, rows)
    await mark_changed(conn, tenant, reference_input(KIND), claim_token)
    return int(await conn.fetchval(GONE, tenant, transport_mode, before))


async def read_locations(conn: Connection, tenant: str) -> bytes:
    """All places, for `frame_of` with LOCATION_SCHEMA."""
    return await copy_out(conn, LOCATIONS, tenant)
