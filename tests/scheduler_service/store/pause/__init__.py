"""The store's room pause, on a real PostgreSQL."""
