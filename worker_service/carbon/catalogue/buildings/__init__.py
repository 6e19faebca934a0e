"""Rooms, fuels burnt, metered energy, construction and renovation."""
