"""What ListJobTypes says of payloads and stats is what requests and steps have."""

import re

import pytest

from scheduler_service.jobs.job_type_keys import PAYLOAD_KEYS, STATS
from scheduler_service.jobs.job_types import JOB_TYPES
from tests.tidy.tracked_files import REPOSITORY

STEPS = "".join(
    file.read_text(encoding="utf-8")
    for file in sorted((REPOSITORY / "worker_service/steps").glob("*.py"))
)
# The names that one class makes for each kind of noted rows.
KINDS = "(rejected|warned|counted_twice|uncomputed|doubtful)"
NOTED = re.compile(rf"(rows_{KINDS}(_listed)?|{KINDS}_(blob|rows))")


def test_every_type_has_its_stats_and_nothing_else_has() -> None:
    assert STATS.keys() == JOB_TYPES.keys()
    assert PAYLOAD_KEYS.keys() <= JOB_TYPES.keys()


def test_a_type_that_coalesces_takes_no_payload() -> None:
    coalescing = {name for name, row in JOB_TYPES.items() if row.dedup is not None}
    assert PAYLOAD_KEYS.keys() & coalescing == set()


@pytest.mark.parametrize("job_type", STATS)
def test_each_stat_is_written_by_a_step(job_type: str) -> None:
    names = [name for name in STATS[job_type] if not NOTED.fullmatch(name)]
    assert [name for name in names if f'"{name}"' not in STEPS] == []


@pytest.mark.parametrize("job_type", PAYLOAD_KEYS)
def test_a_key_is_named_once_and_says_what_it_is(job_type: str) -> None:
    names = [key.name for key in PAYLOAD_KEYS[job_type]]
    assert len(set(names)) == len(names)
    assert all(key.meaning for key in PAYLOAD_KEYS[job_type])
