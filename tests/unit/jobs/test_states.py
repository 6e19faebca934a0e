"""The table of states is the one that SQL and the docs follow."""

import re
from pathlib import Path

import pytest

from scheduler_service.jobs.states import (
    TRANSITIONS,
    IllegalTransition,
    JobEvent,
    JobState,
    next_state,
    transitions_as_markdown,
)

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("state", JobState)
@pytest.mark.parametrize("event", JobEvent)
def test_every_pair_is_legal_or_refused(state: JobState, event: JobEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert next_state(state, event) in JobState
    else:
        with pytest.raises(IllegalTransition):
            next_state(state, event)


def test_finished_absorbs() -> None:
    assert not [event for state, event in TRANSITIONS if state is JobState.FINISHED]


def test_the_documented_table_is_generated_from_the_code() -> None:
    assert transitions_as_markdown() in (ROOT / "docs" / "job-states.md").read_text("utf-8")


def test_every_statement_that_sets_a_state_is_a_known_transition() -> None:
    legal = {(before, after) for (before, _), after in TRANSITIONS.items()}
    told = re.compile(r"^-- .*?(\w+) -> (\w+)", re.MULTILINE)
    for path in (ROOT / "scheduler_service" / "store" / "sql").glob("*.sql"):
        for before, after in told.findall(path.read_text("utf-8")):
            befores = JobState if before == "Live" else [JobState(before)]
            assert any((b, JobState(after)) in legal for b in befores), path.name
