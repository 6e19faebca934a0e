"""The clock for leases: it never goes back, and it runs on while the machine sleeps."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Seconds since an arbitrary moment. Only differences have a meaning."""
    return time.clock_gettime(_CLOCK)
