"""The invented university of examples/university, from its files to its totals."""
