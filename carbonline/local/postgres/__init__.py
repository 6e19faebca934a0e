"""A small supervisor of an embedded PostgreSQL: find, initialise, start, restart, stop."""

from carbonline.local.postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
