"""Which migration of the schema `scheduler` this release needs, and which a database has."""

import asyncpg

from scheduler_service.store.core.statements import Connection

# The newest one.
SCHEMA_REVISION = "0032"


async def revision_of(conn: Connection) -> str:
    """The newest migration that the database has, such as "0026"; "" if it has none. Do not call it
    within a transaction, which it would break.
    """
    try:
        found = await conn.fetchval("SELECT version_num FROM scheduler.alembic_version")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return ""
    return found or ""
