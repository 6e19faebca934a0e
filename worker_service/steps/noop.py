"""The job that does nothing, for benchmarks of everything around it."""

from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run


async def run_noop(_run: Run) -> Outcome:
    """Succeeds at once and writes nothing."""
    return Succeeded()
