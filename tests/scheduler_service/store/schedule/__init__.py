"""Schedules: what operators change, and the submits of their ticks."""
