"""The product's worker; a noop whose unit says so is poison: it kills the process, or raises."""

import os
import signal
import sys

from worker_service import worker
from worker_service.__main__ import main
from worker_service.mechanics.outcome import Outcome, Succeeded
from worker_service.mechanics.run import Run

RAISES, KILLS = "poison that raises", "poison that kills"


async def run_noop_or_poison(run: Run) -> Outcome:
    """The unit says which."""
    if run.job.unit == KILLS:
        os.kill(os.getpid(), signal.SIGKILL)
    if run.job.unit == RAISES:
        raise RuntimeError(RAISES)
    return Succeeded()


if __name__ == "__main__":
    setattr(worker, "run_noop", run_noop_or_poison)  # noqa: B010  mypy: not a part of its interface
    sys.exit(main([]))
