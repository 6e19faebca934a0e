"""Steps that run one after the other, whatever one of them fails with."""

from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from carbonline.postgres.errors import ANY_DATABASE_ERROR


class Steps:
    """What one step fails with is kept from the others, and logged once until the step succeeds
    again.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        """`log` hears of what failed."""
        self._log = log
        self.failing: set[str] = set()

    async def run(self, step: str, work: Callable[[], Awaitable[object]]) -> None:
        """Run one step."""
        try:
            await work()
        except ANY_DATABASE_ERROR as error:
            if step not in self.failing:
                self._log.warning("sweep_failed", step=step, error=repr(error))
            self.failing.add(step)
        except Exception as error:  # noqa: BLE001 - the steps behind it must run
            self._log.exception("sweep_failed", step=step, exc_info=error)
            self.failing.add(step)
        else:
            self.failing.discard(step)
