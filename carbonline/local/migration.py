"""Brings a database to what this build expects, and says in a sentence why it could not."""

from carbonline.local.errors import LocalStackError, WrongChoice

# Classes of SQLSTATE. Credentials, no such database; and the state for no privilege.
_WRONG = frozenset({"28", "3D"})
_NO_PRIVILEGE = "42501"
# Connection lost or refused, too busy, shutting down.
_AWAY = frozenset({"08", "53", "57"})
_SCHEMES = frozenset({"postgresql", "postgres"})
_SUCH_AS = "give one like postgresql://user@host/database"


async def migrate_schemas(database_url: str) -> None:
    """Both schemas at their heads.

    WrongChoice when the URL, or the database it names, cannot be used; LocalStackError when
    nobody answers there, or not now, or another session is in the way.
    """
    # Here, since half a second of imports would slow every command that never migrates.
    import asyncpg  # noqa: PLC0415
    import sqlalchemy.exc  # noqa: PLC0415

    from migrations.run import (  # noqa: PLC0415
        AnotherSessionIsInTheWay,
        AnotherUpgradeRuns,
        migrate_all,
    )

    shown = _shown(database_url)
    try:
        await migrate_all(database_url)
    except (AnotherUpgradeRuns, AnotherSessionIsInTheWay) as error:
        raise LocalStackError(f"Not migrated: {error}.") from None
    except OSError as error:
        raise LocalStackError(f"No PostgreSQL answers at {shown}: {error}.") from error
    except (asyncpg.PostgresError, sqlalchemy.exc.DBAPIError) as error:
        sentence = f"The database {shown} cannot be used: {_said(error)}."
        state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
        if state[:2] in _WRONG or state == _NO_PRIVILEGE:
            raise WrongChoice(sentence) from error
        if state[:2] in _AWAY:
            raise LocalStackError(sentence) from error
        raise


def _shown(database_url: str) -> str:
    """The URL as it may be printed: no password, neither before the host nor in the query."""
    import sqlalchemy.exc  # noqa: PLC0415

    from migrations.run import engine_url  # noqa: PLC0415

    try:
        scheme = sqlalchemy.make_url(database_url).get_backend_name()
        url = engine_url(database_url).set(drivername="postgresql")
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise WrongChoice(f"That is no database URL; {_SUCH_AS}.") from None
    if scheme not in _SCHEMES:
        raise WrongChoice(f"A database of {scheme} cannot be used, only PostgreSQL; {_SUCH_AS}.")
    secrets = {name: "hidden" for name in url.query if "password" in name.lower()}
    return url.update_query_dict(secrets).render_as_string()


def _said(error: Exception) -> str:
    """What PostgreSQL says, without the classes and the statement that SQLAlchemy puts around."""
    return str(getattr(error, "orig", error)).rpartition(">: ")[2].splitlines()[0].rstrip(".")
