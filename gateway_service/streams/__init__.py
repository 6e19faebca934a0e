"""Events for whoever watches, as server-sent events."""
