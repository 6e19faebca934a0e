"""The store's room chain, on a real PostgreSQL."""
