"""Lets tenants share the workers: each new job gets a stamp of its tenant's virtual clock."""

import time
from collections.abc import Callable

QUANTUM_MICROSECONDS = 1000
TENANTS_REMEMBERED_MAX = 10_000


def _wall_microseconds() -> int:
    return time.time_ns() // 1000


class FairShare:
    """Makes stamps that grow by a quantum per job of a tenant, so a flood of one tenant lies behind
    the few jobs of another. A hint for the order of claims, never a rule: kept per process.
    """

    def __init__(self, now_microseconds: Callable[[], int] = _wall_microseconds) -> None:
        """Start with no tenant known."""
        self._now = now_microseconds
        self._last: dict[str, int] = {}

    def stamp(self, tenant: str) -> int:
        """The next stamp of the tenant, in microseconds, never behind the clock."""
        if len(self._last) > TENANTS_REMEMBERED_MAX:
            now = self._now()
            self._last = {name: last for name, last in self._last.items() if last > now}
        stamp = max(self._now(), self._last.get(tenant, 0) + QUANTUM_MICROSECONDS)
        self._last[tenant] = stamp
        return stamp
