"""Steps that are tried once: what a worker would try again for minutes ends its job at once."""

from functools import partial

from hypothesis import Phase

from worker_service.mechanics.outcome import Failed, Outcome, RetryLater
from worker_service.mechanics.registry import Step
from worker_service.mechanics.run import ClaimLost, JobCancelled, Run

# To make a failure smaller takes minutes, too; the slow tests do.
GENERATED = [Phase.explicit, Phase.generate]


def try_once(steps: dict[str, Step]) -> None:
    """Has a job whose step raises, or asks for a retry, end in ERROR with a cause of no step."""
    for job_type, step in list(steps.items()):
        steps[job_type] = partial(_once, step)


async def _once(step: Step, run: Run) -> Outcome:
    try:
        outcome = await step(run)
    except (ClaimLost, JobCancelled):
        raise
    except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
        return Failed("raised", f"{type(error).__name__}: {error}")
    if isinstance(outcome, RetryLater):
        return Failed("would_try_again", outcome.reason)
    return outcome
