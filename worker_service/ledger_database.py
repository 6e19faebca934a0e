"""The ledger's database when a process starts: waits for it, and says what is wrong with it."""

import asyncio
from collections.abc import Callable
from functools import partial

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import DatabaseRefused, DatabaseUnavailable
from carbonline.serving.database_start import database_is_up, database_refuses, database_unavailable
from worker_service.ledger.pool import probe
from worker_service.settings import Settings

VARIABLES = ("LEDGER_DATABASE_URL", "DATABASE_URL")


async def ledger_is_up(
    settings: Settings,
    stopping: asyncio.Event,
    log: FilteringBoundLogger,
    report: Callable[[str], None] = lambda _: None,
) -> bool:
    """Waits for a database that is starting. False if `stopping` is set before. `report` is called
    with what it waits for.

    Raises DatabaseUnavailable after the longest wait, DatabaseRefused at once.
    """
    return await database_is_up(
        partial(probe, settings.database_url), (DatabaseUnavailable,), stopping, log, report
    )


def sentence_about(error: DatabaseUnavailable | DatabaseRefused) -> str:
    """A sentence that says what is wrong with the database, and what to correct."""
    cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
    sentence = database_unavailable if isinstance(error, DatabaseUnavailable) else database_refuses
    return sentence(cause, *VARIABLES)
