"""The clock that leases are counted on: never set back, and it counts a machine's sleep."""

import time

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Seconds since an arbitrary moment; only differences mean anything."""
    return time.clock_gettime(_CLOCK)
