"""What `carbonline schedule add` has submitted: jobs of services of one's own, and of own types."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from carbonline.command.scheduled_job import ScheduledJob, scheduled_job_options
from tests.carbonline.command.test_typing import usage_error
from worker_service.carbon.catalogue import declaration

PLANE = 20
assert declaration(PLANE).name == "plane"


def job_of(*words: str) -> ScheduledJob:
    made: list[Any] = []

    @click.command()
    @scheduled_job_options
    def made_of(*, job: ScheduledJob) -> None:
        made.append(job)

    ended = CliRunner().invoke(made_of, words, catch_exceptions=False)
    assert ended.exit_code == 0, ended.output
    [job] = made
    assert isinstance(job, ScheduledJob)
    return job


@pytest.mark.parametrize(
    ("words", "job"),
    [
        ("--from unit-directory", ScheduledJob("unit_sync", {"provider": "unit-directory"})),
        ("--from hr --units --year 2024", ScheduledJob("unit_sync", {"provider": "hr"}, year=2024)),
        (
            "--from agency --type plane",
            ScheduledJob("api_ingest", {"provider": "agency"}, 0, PLANE),
        ),
        ("--from travel-api", ScheduledJob("api_ingest", {"provider": "travel-api"}, 0, PLANE)),
        (
            "--run fleet_check --with depot=north --with then=fetch --unit 0828",
            ScheduledJob("fleet_check", {"depot": "north", "then": "fetch"}, unit="0828"),
        ),
        ("--run own --type plane", ScheduledJob("own", {}, 0, PLANE)),
    ],
)
def test_what_is_typed_is_the_job_of_each_tick(words: str, job: ScheduledJob) -> None:
    assert job_of(*words.split()) == job


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "Name either a service with --from, or a job type with --run."),
        ("--from hr --run own", "Name either a service with --from, or a job type with --run."),
        ("--from hr", "Missing option '--type'."),
        ("--from hr --units --type plane", "Units have neither a --type nor a --module."),
        ("--run own --units", "--units is for a service: name it with --from."),
        ("--from hr --units --unit 1", "--unit and --with are for a job type: name it with --run."),
        ("--run own --with depot", "--with 'depot': write KEY=VALUE."),
    ],
)
def test_what_does_not_go_together_is_told(words: str, complaint: str) -> None:
    assert complaint in usage_error("schedule", "add", "own", "15 2 * * *", *words.split())
