"""Faults and users at once, for a while; then the history and the totals must be sound."""
