"""Schedules: their rows, and the submits of their ticks."""
