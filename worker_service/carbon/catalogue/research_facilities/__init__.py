"""Shared research and animal facilities."""
