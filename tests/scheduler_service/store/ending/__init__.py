"""The store's room ending, on a real PostgreSQL."""
