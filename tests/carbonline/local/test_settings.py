"""The defaults of a local stack suit the machine, and are those of the processes themselves."""

from pathlib import Path

import pytest

from carbonline.local.settings import StackSettings, usable_cores, workers_for
from worker_service.settings import read_settings


@pytest.mark.parametrize(
    ("cores", "workers"), [(1, 2), (2, 2), (4, 2), (5, 2), (6, 3), (8, 4), (64, 4)]
)
def test_half_of_the_cores_are_for_workers_and_the_others_for_postgres(
    cores: int, workers: int
) -> None:
    assert workers_for(cores) == workers


def test_this_machine_has_a_core() -> None:
    assert usable_cores() >= 1


def test_a_worker_of_a_stack_runs_as_many_jobs_as_one_that_is_started_alone(
    tmp_path: Path,
) -> None:
    alone = read_settings(
        {
            "CARBONLINE_DATABASE_URL": "postgresql://u@h/d",
            "CARBONLINE_SCHEDULER_ADDRESS": "unix:/s",
        }
    )
    assert StackSettings(tmp_path).concurrency == alone.concurrency
