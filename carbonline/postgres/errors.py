"""What the driver raises, by what it means; for `except` and `isinstance`."""

import asyncpg

# The driver's own refusal has no public name.
from asyncpg.exceptions import _base

from carbonline.postgres.kept_sessions import SessionNotKept
from carbonline.postgres.url import UNREADABLE

# PostgreSQL does not answer, or asks to try again: the same call may be repeated.
DATABASE_UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # What the pool meets when it tidies up a connection whose server has just said goodbye; it
    # hides the error that came first.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    # Timeouts of statements (query_canceled), shutdowns and starts.
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    # Deadlocks and serialization failures.
    asyncpg.TransactionRollbackError,
    # A server that was demoted, or runs full: another one takes over, or it is made writable again.
    asyncpg.ReadOnlySQLTransactionError,
)
# A value that the database does not take, or the driver for it. Checks come before SQL, so this is
# a hole in them; and no repeat helps, though the driver's one looks like a lost connection.
VALUE_REFUSED: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    _base.DataError,
)
# What a connection attempt meets where PostgreSQL is not up yet, or says that it is starting or has
# no room.
STARTING: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# The server answers, but not this role, not for this database, or not with these parameters.
ACCESS_REFUSED: tuple[type[Exception], ...] = (
    *UNREADABLE,
    SessionNotKept,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.UndefinedObjectError,
    asyncpg.InvalidParameterValueError,
    asyncpg.PostgresSyntaxError,
    asyncpg.CantChangeRuntimeParamError,
)
# For loops that must go on whatever the database says, and for commits whose answer is lost.
ANY_DATABASE_ERROR: tuple[type[Exception], ...] = (*DATABASE_UNAVAILABLE, asyncpg.PostgresError)


def is_unavailable(error: BaseException) -> bool:
    """Whether any call would have met the same: the database is unavailable, not a value wrong."""
    return isinstance(error, DATABASE_UNAVAILABLE) and not isinstance(error, VALUE_REFUSED)
