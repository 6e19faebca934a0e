"""Entry point of alembic for the history "scheduler"."""

from carbonline.migrations.environment import run_migrations

run_migrations()
