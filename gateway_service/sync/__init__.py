"""Two addresses with shapes of their own, for pages that poll."""
