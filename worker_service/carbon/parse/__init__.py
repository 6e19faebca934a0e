"""Turns text columns into values: typed and normalised, or rejected with a reason."""
