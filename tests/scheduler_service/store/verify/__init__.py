"""The store's room verify, on a real PostgreSQL."""
