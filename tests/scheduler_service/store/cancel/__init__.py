"""The store's room cancel, on a real PostgreSQL."""
