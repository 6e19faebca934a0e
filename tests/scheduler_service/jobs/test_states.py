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
STATEMENTS = ROOT / "scheduler_service" / "store"
EVENTS_OF = {
    "abandon_jobs": JobEvent.ABANDONED,
    "cancel_jobs": JobEvent.CANCELLED,
    "claim_alone": JobEvent.CLAIMED,
    "claim_jobs": JobEvent.CLAIMED,
    "finish_jobs": JobEvent.FINISHED,
    "supersede_jobs": JobEvent.SUPERSEDED,
    "release_jobs_again": JobEvent.RELEASED,
    "recover_job": JobEvent.RECOVERED,
    "settle_keys": JobEvent.BECAME_FIRST_AND_DUE,
    "try_claims": JobEvent.CLAIMED,
    "unqueue_job": JobEvent.SET_ASIDE,
}
# A part of a statement: what only becomes more urgent keeps its state.
_RAISED = re.compile(r"\braised AS \(.*?^\)", re.DOTALL | re.MULTILINE)
_UPDATE = re.compile(
    r"\bUPDATE\s+scheduler\.jobs\b[^;]*?\bSET\b(.*?)(?=\bFROM\b|\bWHERE\b)", re.DOTALL
)
_INSERT = re.compile(r"\bINSERT\s+INTO\s+scheduler\.jobs\b.*?(?=\n\)|;)", re.DOTALL)


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


@pytest.mark.parametrize("name", EVENTS_OF)
def test_a_statement_leads_where_its_events_lead(name: str) -> None:
    sql = _without_comments(_file(name))
    assert _states_set(sql) == {TRANSITIONS[pair] for pair in _pairs(name)}


@pytest.mark.parametrize("name", EVENTS_OF)
def test_a_statement_takes_jobs_only_where_its_events_are_legal(name: str) -> None:
    sql = _without_comments(_file(name))
    assert _states_taken(sql) == {before for before, _ in _pairs(name)}


def test_no_other_statement_sets_a_state() -> None:
    setting = {p.stem for p in STATEMENTS.glob("*/*.sql") if _states_set(_without_comments(p))}
    assert setting == set(EVENTS_OF)


def test_a_job_is_inserted_as_waiting_only() -> None:
    inserted = {
        state
        for path in STATEMENTS.glob("*/*.sql")
        for insert in _INSERT.findall(_without_comments(path))
        for state in JobState
        if f"'{state}'" in insert
    }
    assert inserted == {JobState.NOT_STARTED, JobState.QUEUED}


def _pairs(name: str) -> list[tuple[JobState, JobEvent]]:
    return [(before, event) for before, event in TRANSITIONS if event is EVENTS_OF[name]]


def _without_comments(path: Path) -> str:
    return re.sub(r"--.*$", "", path.read_text("utf-8"), flags=re.MULTILINE)


def _states_set(sql: str) -> set[JobState]:
    """What updates of jobs set; a state that is not written out is an error."""
    return {
        JobState(value.strip("'"))
        for assignments in _UPDATE.findall(sql)
        for value in re.findall(r"\bstate\s*=\s*([^\s,]+)", assignments)
    }


def _states_taken(sql: str) -> set[JobState]:
    """Which jobs the statement's conditions let through."""
    conditions = _UPDATE.sub("", _RAISED.sub("", sql))
    taken = {JobState(s) for s in re.findall(r"\bstate\s*=\s*'(\w+)'", conditions)}
    if re.search(r"\bstate\s*<>\s*'FINISHED'", conditions):
        taken |= set(JobState) - {JobState.FINISHED}
    if re.search(r"\bj\.claim_token\s*=\s*n\.claim_token", conditions):
        taken.add(JobState.RUNNING)  # a CHECK: a job has a token if, and only if, it runs
    return taken


def _file(name: str) -> Path:
    (path,) = STATEMENTS.glob(f"*/{name}.sql")
    return path
