"""Entry point of alembic for the history "ledger"."""

from carbonline.migrations.environment import run_migrations

run_migrations()
