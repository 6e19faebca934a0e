"""Two alembic histories, one schema each: scheduler and ledger."""
