"""Reasons that people give for what they do to jobs, workers and years."""


def is_dropped(given: str, recorded: str) -> bool:
    """Whether a reason was given and another one stands: the same had been done before."""
    return bool(given) and given != recorded
