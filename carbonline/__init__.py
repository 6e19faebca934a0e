"""The client of the carbonline services, and the whole of them on one machine."""
