"""The store's room release, on a real PostgreSQL."""
