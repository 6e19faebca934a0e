"""The places of tenants, kept in the process while nobody changes them."""

import asyncio
from collections import OrderedDict

import polars as pl

from worker_service.ledger.frames import frame_of
from worker_service.ledger.input_versions import reference_input
from worker_service.ledger.locations import KIND, LOCATION_SCHEMA, read_locations
from worker_service.ledger.pool import Connection

# Of 8,000 places each, they take some 2 MB.
TENANTS_MAX = 8

# With the version of the row itself: a claim may change places twice under its token, and changes
# that were rolled back have had that token, too.
VERSION = """
SELECT changed_token || ' ' || CAST(xmin AS text) FROM carbon.input_versions
WHERE tenant = $1 AND input = $2
"""


class KeptPlaces:
    """Reads the places of a tenant, or finds those that were read before of the same version."""

    def __init__(self) -> None:
        """Nothing is kept at first."""
        # The one that was asked for last is at the end.
        self._kept: OrderedDict[str, tuple[str, pl.DataFrame]] = OrderedDict()

    async def read(self, snapshot: Connection, tenant: str) -> pl.DataFrame:
        """All places of a tenant, as of LOCATION_SCHEMA. Call it within a snapshot."""
        version: str | None = await snapshot.fetchval(VERSION, tenant, reference_input(KIND))
        kept_version, kept = self._kept.get(tenant, (None, None))
        if kept is not None and kept_version == version:
            self._kept.move_to_end(tenant)
            return kept
        rows = await read_locations(snapshot, tenant)
        places = await asyncio.to_thread(frame_of, rows, LOCATION_SCHEMA)
        if version is not None:
            self._kept[tenant] = version, places
            self._kept.move_to_end(tenant)
            while len(self._kept) > TENANTS_MAX:
                self._kept.popitem(last=False)
        return places
