"""Entry point of alembic for the history "scheduler"."""

from migrations.environment import run_migrations

run_migrations()
