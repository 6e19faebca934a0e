"""Brings a database to what this build expects, and says in a sentence why it could not."""

import ssl
from functools import partial

from carbonline.extras import lacks
from carbonline.local.errors import LocalStackError, WrongChoice
from carbonline.postgres.kept_sessions import SessionNotKept, check_sessions
from carbonline.postgres.sqlstates import (
    NOT_ALLOWED,
    UNAVAILABLE,
    WRONG_DATABASE,
    WRONG_PARAMETER,
    class_of,
    sqlstate_of,
)
from carbonline.postgres.url import UNREADABLE, driver_url, fault_of_url, shown_url

_SCHEMES = frozenset({"postgresql", "postgres"})


async def migrate_schemas(database_url: str) -> None:
    """Both schemas at their heads.

    WrongChoice when the URL, or the database it names, cannot be used; LocalStackError when
    nobody answers there, or not now, or another session is in the way.
    """
    if lacking := lacks("server", "A migration"):
        raise WrongChoice(lacking)
    # Here, since half a second of imports would slow every command that never migrates.
    import asyncpg  # noqa: PLC0415
    import sqlalchemy.exc  # noqa: PLC0415

    from carbonline.migrations.run import (  # noqa: PLC0415
        AnotherSessionIsInTheWay,
        AnotherUpgradeRuns,
        migrate_all,
    )

    await _probe(database_url)
    try:
        await migrate_all(database_url)
    except (AnotherUpgradeRuns, AnotherSessionIsInTheWay) as error:
        raise LocalStackError(f"Not migrated: {error}.") from None
    except OSError as error:
        raise _no_answer(database_url, error) from error
    except (asyncpg.PostgresError, sqlalchemy.exc.DBAPIError) as error:
        sentence = _refusal(database_url, error)
        if class_of(error) in WRONG_DATABASE or sqlstate_of(error) in NOT_ALLOWED:
            raise WrongChoice(f"{sentence}.") from error
        if class_of(error) in UNAVAILABLE:
            raise LocalStackError(f"{sentence}.") from error
        raise


async def _probe(database_url: str) -> None:
    """Connects, and is gone again: what goes wrong here is wrong with the URL or the server."""
    import asyncpg  # noqa: PLC0415

    _check_scheme(database_url)
    try:
        connect = partial(asyncpg.connect, driver_url(database_url), statement_cache_size=0)
        await check_sessions(connect, set_at_start=False)
    except SessionNotKept as error:
        shown = shown_url(database_url)
        raise WrongChoice(f"The database {shown} cannot be used: {error}.") from error
    except ssl.SSLError as error:
        raise WrongChoice(f"{_refusal(database_url, error)}.") from error
    except OSError as error:
        raise _no_answer(database_url, error) from error
    except UNREADABLE as error:
        fault = fault_of_url(error)
        raise WrongChoice(f"That database URL cannot be used: {fault}; correct it.") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        sentence = _refusal(database_url, error)
        if class_of(error) in UNAVAILABLE:
            raise LocalStackError(f"{sentence}.") from error
        if sqlstate_of(error) in WRONG_PARAMETER:
            sentence += "; correct that parameter of the URL, or leave it out"
        raise WrongChoice(f"{sentence}.") from error


def _check_scheme(database_url: str) -> None:
    scheme, separator, _ = driver_url(database_url).partition("://")
    # What is no word is no scheme, and may be a password.
    if separator and scheme.isalnum() and scheme.lower() not in _SCHEMES:
        raise WrongChoice(
            f"A database of {scheme} cannot be used, only PostgreSQL;"
            " give a URL like postgresql://user@host/database."
        )


def _no_answer(database_url: str, error: OSError) -> LocalStackError:
    why = str(error) or type(error).__name__
    return LocalStackError(f"No PostgreSQL answers at {shown_url(database_url)}: {why}.")


def _refusal(database_url: str, error: Exception) -> str:
    """What PostgreSQL says, without the classes and the statement that SQLAlchemy puts around."""
    said = str(getattr(error, "orig", error)).rpartition(">: ")[2].partition("\n")[0].rstrip(".")
    return f"The database {shown_url(database_url)} cannot be used: {said}"
