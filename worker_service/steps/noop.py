"""noop: does nothing, to benchmark everything around a job."""

from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run


async def run_noop(_run: Run) -> Outcome:
    """Succeed at once and write nothing."""
    return Succeeded()
