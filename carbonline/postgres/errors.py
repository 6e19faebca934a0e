"""The driver's errors by what they mean to a caller, for `except` and `isinstance`."""

import asyncpg

# The driver's own refusal has no public name.
from asyncpg.exceptions import _base

from carbonline.postgres.kept_sessions import SessionNotKept
from carbonline.postgres.url import UNREADABLE


class DatabaseUnavailable(ConnectionError):
    """PostgreSQL does not answer, or cannot answer now. Repeat the same call later."""


class DatabaseRefused(Exception):
    """PostgreSQL refuses this role, this database or this URL. Somebody must correct it."""


# The same transaction may succeed in a moment: another one was in its way.
TRY_AGAIN: tuple[type[Exception], ...] = (
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.SerializationError,
)
# PostgreSQL does not answer, or cannot answer now: the same call may be repeated later.
DATABASE_UNAVAILABLE: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    # Raised when the pool cleans up a connection that its server has just closed. It hides the
    # error that came first.
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    # Timeouts of statements (query_canceled), shutdowns and starts.
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    # Deadlocks and serialization failures.
    asyncpg.TransactionRollbackError,
    # A server that was demoted or is full: another takes over, or it becomes writable again.
    asyncpg.ReadOnlySQLTransactionError,
)
# One transaction may fail so while others succeed: what it touches is locked, or it takes too long.
OF_ONE_TRANSACTION: tuple[type[Exception], ...] = (
    asyncpg.QueryCanceledError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,
    asyncpg.OutOfMemoryError,
)
# The session ended while a statement was on its way: the server went away, or that statement took
# it along.
SESSION_LOST: tuple[type[Exception], ...] = (
    ConnectionResetError,
    BrokenPipeError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)
# The database, or the driver for it, rejects a value. Checks come before SQL, so one of them has a
# gap. Repeating does not help, although the driver's error is also an InterfaceError.
VALUE_REFUSED: tuple[type[Exception], ...] = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,
    _base.DataError,
)
# A connection attempt fails because PostgreSQL is not up, is starting or has no free connection.
STARTING: tuple[type[Exception], ...] = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# The server answers, and refuses the role, the database or a parameter of the URL.
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
# For loops that must go on whatever the database answers, and for commits whose answer is lost.
ANY_DATABASE_ERROR: tuple[type[Exception], ...] = (*DATABASE_UNAVAILABLE, asyncpg.PostgresError)


def is_unavailable(error: BaseException) -> bool:
    """Whether any call would have failed: the database is unavailable, and no value is wrong."""
    return isinstance(error, DATABASE_UNAVAILABLE) and not isinstance(error, VALUE_REFUSED)


def fails_everything(error: BaseException) -> bool:
    """Whether the database answers nobody now. What one transaction met alone is left out, and so
    is the end of its session: without the item that it met it with, the same transaction may
    succeed.
    """
    return is_unavailable(error) and not isinstance(error, (*OF_ONE_TRANSACTION, *SESSION_LOST))


def is_locked(error: object) -> bool:
    """Whether a transaction gave up because another one had locked what it needed."""
    return isinstance(error, asyncpg.LockNotAvailableError)


def is_answer(error: BaseException) -> bool:
    """Whether PostgreSQL itself said it, so that it is there and not silent."""
    return isinstance(error, asyncpg.PostgresError)
