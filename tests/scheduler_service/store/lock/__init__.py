"""The store's room lock, on a real PostgreSQL."""
