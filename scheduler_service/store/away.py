"""What the driver raises when PostgreSQL is away or asks for another try."""

import asyncpg

# The driver's own refusal has no public name.
from asyncpg.exceptions import _base

# A value that the database does not take, or the driver for it. Checks come before the store, so
# this is a hole in them; and no repeat helps, though the driver's one looks like a lost connection.
VALUE_REFUSED: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    _base.DataError,
)
DATABASE_AWAY: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What the pool meets when it tidies up a connection whose server has just said goodbye; it
    # hides the error that came first.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
)
# What is met where PostgreSQL is not up yet, or says that it is starting or has no room.
STARTING: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# For loops that must go on whatever the database says.
ANY_DATABASE_ERROR: tuple[type[Exception], ...] = (*DATABASE_AWAY, asyncpg.PostgresError)
