"""The ledger's database when a process starts: waited for, or told of in a sentence."""

import asyncio
from functools import partial

from structlog.typing import FilteringBoundLogger

from carbonline.serving.database_start import database_is_up, database_refuses, database_unavailable
from worker_service.ledger.errors import DatabaseAway, DatabaseRefuses
from worker_service.ledger.pool import probe
from worker_service.settings import Settings

VARIABLES = ("LEDGER_DATABASE_URL", "DATABASE_URL")


async def ledger_is_up(
    settings: Settings, stopping: asyncio.Event, log: FilteringBoundLogger
) -> bool:
    """Waits for a database that is starting; False when the process is to end before."""
    return await database_is_up(
        partial(probe, settings.database_url), (DatabaseAway,), stopping, log
    )


def sentence_about(error: DatabaseAway | DatabaseRefuses) -> str:
    """What is wrong with the database, and what to correct."""
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    tell = database_unavailable if isinstance(error, DatabaseAway) else database_refuses
    return tell(cause, *VARIABLES)
