"""The store's room reads, on a real PostgreSQL."""
