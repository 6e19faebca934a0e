"""The store's room submit, on a real PostgreSQL."""
