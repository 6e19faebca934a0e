"""Stores files: immutable, by tenant and content."""
