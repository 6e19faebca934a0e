"""The store's room sweep, on a real PostgreSQL."""
