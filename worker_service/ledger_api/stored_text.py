"""Stored values as a file would say them."""

from typing import Any


def text_of(value: Any) -> str:
    """Numbers with all their digits, whole ones without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
