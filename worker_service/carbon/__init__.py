"""Carbon accounting on Polars frames: no storage, no transport, no clock."""
