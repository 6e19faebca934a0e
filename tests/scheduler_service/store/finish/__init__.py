"""The store's room finish, on a real PostgreSQL."""
