"""Accounting on frames: no storage, no transport, no clock."""
