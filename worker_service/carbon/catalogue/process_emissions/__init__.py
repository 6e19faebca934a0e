"""Gases released by processes."""
