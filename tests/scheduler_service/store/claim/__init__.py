"""The store's room claim, on a real PostgreSQL."""
