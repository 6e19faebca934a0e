"""Text columns to values: what is accepted is typed and normalised, the rest has a reason."""
