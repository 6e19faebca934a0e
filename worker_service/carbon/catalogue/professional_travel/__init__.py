"""Trips for work by air, rail and road."""
