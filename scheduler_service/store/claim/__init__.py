"""Claim and Heartbeat: jobs in workers' hands."""
