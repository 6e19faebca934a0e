"""What is said of a schedule whose last tick or pipeline went wrong."""

from datetime import UTC, datetime
from typing import Any

import pytest

from carbonline.command.schedule_words import (
    last_words,
    paused_words,
    schedule_row,
    schedule_sentence,
    trouble_of,
)
from carbonline.v1 import types_pb2
from carbonline.v1.schedules_pb2 import (
    TICK_OUTCOME_MISSED,
    TICK_OUTCOME_OVERLAPPED,
    TICK_OUTCOME_REFUSED,
    TICK_OUTCOME_SUBMITTED,
    Schedule,
)

AT = datetime(2026, 11, 25, 1, 15, tzinfo=UTC)
DONE, FAILED = types_pb2.PIPELINE_STATUS_SUCCESS, types_pb2.PIPELINE_STATUS_FAILED


def schedule(**changes: Any) -> Schedule:
    one = Schedule(name="nightly", job_type="unit_sync", **changes)
    one.last_tick_at.FromDatetime(AT)
    return one


def submitted(status: types_pb2.PipelineStatus.ValueType, message: str = "") -> Schedule:
    return schedule(
        last_outcome=TICK_OUTCOME_SUBMITTED,
        last_pipeline_id=7,
        last_pipeline_status=status,
        last_message=message,
    )


@pytest.mark.parametrize(
    ("one", "trouble"),
    [
        (Schedule(name="nightly"), ""),
        (submitted(DONE), ""),
        (submitted(FAILED), "pipeline 7 FAILED"),
        (
            submitted(DONE, "3 ticks behind it were missed"),
            "pipeline 7 SUCCESS; 3 ticks behind it were missed",
        ),
        (
            schedule(last_outcome=TICK_OUTCOME_REFUSED, last_message="no such year"),
            "the tick of 2026-11-25 01:15:00 UTC was refused: no such year",
        ),
        (
            schedule(last_outcome=TICK_OUTCOME_OVERLAPPED, last_message="one still runs"),
            "the tick of 2026-11-25 01:15:00 UTC submitted nothing: one still runs",
        ),
        (
            schedule(last_outcome=TICK_OUTCOME_MISSED, last_message="too late"),
            "the tick of 2026-11-25 01:15:00 UTC was missed: too late",
        ),
        (schedule(stuck="no such zone"), "cannot be worked on: no such zone"),
    ],
)
def test_what_went_wrong_with_the_last_tick_is_said(one: Schedule, trouble: str) -> None:
    assert trouble_of(one) == trouble
    if trouble:
        assert last_words(one) == trouble
        assert schedule_sentence(one, trouble) == f"Schedule nightly (unit_sync): {trouble}"


def test_a_paused_schedule_says_since_when_by_whom_and_why_and_has_no_trouble() -> None:
    one = submitted(FAILED)
    one.paused_at.FromDatetime(AT)
    one.paused_by, one.pause_reason = "ann", "the directory moves"
    assert trouble_of(one) == ""
    assert last_words(one) == "paused"
    assert paused_words(one) == (
        "is paused since 2026-11-25 01:15:00 UTC, by ann: the directory moves"
    )
    assert paused_words(submitted(FAILED)) == ""


def test_a_row_names_the_outcome_as_people_type_it() -> None:
    row = schedule_row(submitted(FAILED))
    assert (row["last_outcome"], row["last_pipeline_status"]) == ("submitted", "failed")
    assert schedule_row(Schedule(name="new"))["last_outcome"] is None
