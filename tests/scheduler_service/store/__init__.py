"""The scheduler's store against a real PostgreSQL: states are reached through its operations."""
