"""A worker whose token has expired is not ready until the next one is in its file."""

from worker_service.mechanics.readiness import Needs, NotUsable
from worker_service.scheduler_client.client import SchedulerClient


class UsableToken:
    """Implements worker_service.mechanics.readiness.Needs, which documents each method: a token
    that the scheduler takes, beside what jobs need otherwise.
    """

    def __init__(self, scheduler: SchedulerClient, needs: Needs) -> None:
        self._scheduler = scheduler
        self._needs = needs

    async def look(self) -> None:
        """Looks at the token first. Raises NotUsable, whose message then begins with "token:"."""
        if fault := self._scheduler.token_fault:
            raise NotUsable(f"token: {fault}")
        await self._needs.look()

    def blamed(self, error: BaseException) -> str:
        """As of what jobs need otherwise."""
        return self._needs.blamed(error)
