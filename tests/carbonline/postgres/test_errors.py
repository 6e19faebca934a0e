"""Each error of the driver and each SQLSTATE means the same to every room."""

import asyncpg
import pytest

from carbonline.postgres import errors, sqlstates
from carbonline.postgres.errors import ANY_DATABASE_ERROR, DATABASE_UNAVAILABLE, is_unavailable


def with_sqlstate() -> list[type[asyncpg.PostgresError]]:
    """Every class of the driver that stands for one SQLSTATE."""
    classes = vars(asyncpg.exceptions).values()
    # Warnings have codes, too, and are not raised.
    errors_only = [
        one
        for one in classes
        if isinstance(one, type) and issubclass(one, asyncpg.PostgresError) and one.sqlstate
    ]
    assert len(errors_only) > 200
    return errors_only


def states_of(classes: tuple[type[Exception], ...]) -> set[str]:
    return {one.sqlstate for one in with_sqlstate() if issubclass(one, classes)}


@pytest.mark.parametrize("error", with_sqlstate(), ids=lambda error: error.__name__)
def test_a_lost_or_busy_server_is_unavailable_by_its_class_and_by_its_sqlstate(
    error: type[asyncpg.PostgresError],
) -> None:
    if error.sqlstate[:2] in sqlstates.UNAVAILABLE:
        assert is_unavailable(error("sorry"))
    assert issubclass(error, ANY_DATABASE_ERROR)


def test_what_may_succeed_in_a_moment_is_the_same_by_class_and_by_sqlstate() -> None:
    assert states_of(errors.TRY_AGAIN) == sqlstates.TRY_AGAIN
    assert all(issubclass(one, DATABASE_UNAVAILABLE) for one in errors.TRY_AGAIN)


def test_what_is_refused_is_the_same_by_class_and_by_sqlstate() -> None:
    refused = states_of(errors.ACCESS_REFUSED)
    assert refused >= sqlstates.WRONG_PARAMETER
    assert refused >= {one for one in states_of((Exception,)) if one[:2] in {"28", "3D"}}
    assert "42501" in refused
    assert not refused & states_of(DATABASE_UNAVAILABLE)


@pytest.mark.parametrize(
    "error",
    [
        OSError("unreachable"),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("got result for unknown protocol state"),
        asyncpg.DeadlockDetectedError("deadlock detected"),
        asyncpg.SerializationError("could not serialize access"),
        asyncpg.QueryCanceledError("canceling statement due to statement timeout"),
        asyncpg.IdleInTransactionSessionTimeoutError("terminating connection"),
        asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_the_same_call_may_be_repeated_after(error: Exception) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.VALUE_REFUSED[-1]("value out of int64 range"),
        asyncpg.NumericValueOutOfRangeError("bigint out of range"),
        asyncpg.ProgramLimitExceededError("index row size exceeds maximum"),
        asyncpg.UniqueViolationError("duplicate key"),
        asyncpg.UndefinedTableError("relation does not exist"),
        ValueError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_no_repeat_helps_after(error: Exception) -> None:
    assert not is_unavailable(error)
