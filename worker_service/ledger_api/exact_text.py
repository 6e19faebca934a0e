"""Exact decimals as text."""

from decimal import Decimal


def exact_text(exact: Decimal) -> str:
    """Decimal text without an exponent: 0.1, never 1E-1."""
    return f"{exact:f}"
