"""A ledger whose database is frozen: callers hear of it before their deadlines, files go on."""

import asyncio
from pathlib import Path
from typing import Any

from carbonline.local.postgres import EmbeddedPostgres
from carbonline.migrations.run import migrate_all
from carbonline.v1 import ledger_pb2, reference_pb2
from tests.conftest import THROWAWAY
from tests.frozen_postgres import frozen
from tests.worker_service.ledger_api.conftest import refused, serving, settings_of

SECONDS = 30.0
# It takes three seconds to notice the silence.
CALL_SECONDS = 5.5
# More than may read at once.
READS = 12


async def test_every_read_is_told_before_its_deadline(tmp_path: Path) -> None:
    postgres = await EmbeddedPostgres.open(tmp_path / "postgres", settings=THROWAWAY)
    try:
        url = await postgres.create_database("ledger")
        await migrate_all(url)
        async with serving(settings_of(url, tmp_path)) as client:
            calls: list[tuple[Any, Any]] = [
                (client.ledger.GetTotals, ledger_pb2.GetTotalsRequest(year=2024)),
                (client.ledger.ListUnits, reference_pb2.ListUnitsRequest()),
            ] * READS
            for method, request in calls:
                await method(request)

            with frozen(postgres):
                errors = await asyncio.gather(
                    *(refused(method(request, timeout=CALL_SECONDS)) for method, request in calls)
                )
                blob = (await client.upload([b"x"])).blob
                assert await client.download(blob) == [b"x"]

            for error in errors:
                assert (error.code, error.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE"), error
                assert error.message.startswith("the database has not answered for"), error
            async with asyncio.timeout(SECONDS):
                await asyncio.gather(*(method(request) for method, request in calls))
    finally:
        await postgres.close()
