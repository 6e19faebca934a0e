"""Runs the two alembic histories, whose scripts stand in migrations/ of the repository."""
