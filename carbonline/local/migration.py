"""Migrates a database to what this build expects, and says in a sentence why it cannot."""

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
from carbonline.postgres.tls_refusal import WHAT_TO_DO, refused_by_tls
from carbonline.postgres.url import UNREADABLE, driver_url, fault_of_shape, fault_of_url, shown_url


async def migrate_schemas(database_url: str) -> None:
    """Upgrades both schemas to their newest revision.

    Raises WrongChoice if the URL, or its database, cannot be used. Raises LocalStackError if
    PostgreSQL does not answer, or another session blocks the upgrade.
    """
    if lacking := lacks("server", "A migration"):
        raise WrongChoice(lacking)
    # Imported here: they take half a second, which commands that do not migrate should not pay.
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
    """Connects and disconnects, so that errors of the URL or the server show up first."""
    import asyncpg  # noqa: PLC0415

    if fault := fault_of_shape(database_url):
        raise WrongChoice(f"That database URL cannot be used: {fault}; correct it.")
    try:
        connect = partial(asyncpg.connect, driver_url(database_url), statement_cache_size=0)
        await check_sessions(connect, set_at_start=False)
    except SessionNotKept as error:
        shown = shown_url(database_url)
        raise WrongChoice(f"The database {shown} cannot be used: {error}.") from error
    except OSError as error:
        if refused_by_tls(error):
            raise WrongChoice(f"{_refusal(database_url, error)}; {WHAT_TO_DO}.") from error
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


def _no_answer(database_url: str, error: OSError) -> LocalStackError:
    why = str(error) or type(error).__name__
    return LocalStackError(
        f"Cannot connect to PostgreSQL at {shown_url(database_url)}: {why}."
        " Start the server, or correct the URL."
    )


def _refusal(database_url: str, error: Exception) -> str:
    """PostgreSQL's message, without the classes and the statement that SQLAlchemy adds."""
    reason = str(getattr(error, "orig", error)).rpartition(">: ")[2].partition("\n")[0].rstrip(".")
    return f"The database {shown_url(database_url)} cannot be used: {reason}"
