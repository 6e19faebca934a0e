"""The store's room core, on a real PostgreSQL."""
