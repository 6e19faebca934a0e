"""UUIDs as the driver makes them: read, compared and sent several times as fast."""

from uuid import UUID

from asyncpg.pgproto import pgproto


def uuid_of(text: str) -> UUID:
    """The UUID of 32 hexadecimal digits, with hyphens or without; ValueError for anything else."""
    return pgproto.UUID(text)
