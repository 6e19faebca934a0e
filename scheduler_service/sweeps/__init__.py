"""Periodic work: expired leases, due retries, drains, and a backstop that should find nothing."""
