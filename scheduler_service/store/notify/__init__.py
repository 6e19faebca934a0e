"""Hints between processes: what changed and what is claimable."""
