"""`carbonline recover`: takes a job from a worker that has died or hangs."""

import click

from carbonline.client.errors import ServerError
from carbonline.command.asynchronous import run_to_end
from carbonline.command.command_group import examples
from carbonline.command.connection import Target, command_line, connection_options
from carbonline.command.names import step_words
from carbonline.command.options import ID
from carbonline.command.safe_text import one_line
from carbonline.v1 import interventions_pb2


@click.command(
    short_help="Take a job from a worker that hangs or has died.",
    epilog=examples("carbonline recover 7", 'carbonline recover 7 --force --reason "it hangs"'),
)
@click.argument("job", type=ID)
@click.option(
    "--force", is_flag=True, help="Also take it from a worker that still sends heartbeats."
)
@click.option("--reason", default="", help="The reason, shown in the timeline.")
@connection_options
def recover(*, target: Target, job: int, force: bool, reason: str) -> None:
    """Take the running JOB from its worker: another one runs it, with all attempts again.

    A job whose lease has expired is taken at once. With --force, a job is also taken from a
    worker that still sends heartbeats but makes no progress. That worker is told to stop, and
    the job waits until it has stopped or its lease expires.
    """
    answer = run_to_end(_recover(target, job, force=force, reason=reason))
    click.echo(_sentence(answer))


async def _recover(
    target: Target, job_id: int, *, force: bool, reason: str
) -> interventions_pb2.RecoverJobResponse:
    async with target.client() as client:
        # Named, so that a call that is repeated never takes the job from its next claim.
        claim_token = (await client.get_job(job_id)).job.claim_token
        try:
            return await client.recover_job(
                job_id, claim_token=claim_token, force=force, reason=reason
            )
        except ServerError as error:
            if error.reason == "CLAIM_LIVE":
                error.message += f": {command_line(f'recover {job_id} --force', target)}"
            raise


def _sentence(answer: interventions_pb2.RecoverJobResponse) -> str:
    job = answer.job
    about = f"Job {job.job_id} ({step_words(job)}): claim {answer.claim_token}"
    if answer.HasField("drains_for"):
        seconds = answer.drains_for.ToTimedelta().total_seconds()
        said = f"drains for {seconds:.0f} s at most; then another worker runs the job."
    else:
        said = "has lost the job."
    return one_line(f"{about} {said}")
