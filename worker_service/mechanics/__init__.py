"""Runs any job: claims, leases, outcomes, drains. Knows nothing of what jobs are about."""
