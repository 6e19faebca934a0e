"""The console's store, imported in a page: rows are states, whatever order they come in."""

import itertools
from typing import Any

import pytest

STORE = (
    "async (steps) => { const store = { ...await import('/static/store.js'),"
    " ...await import('/static/parts/badge.js') }; store.forget();"
)

LIVE = "PIPELINE_STATUS_RUNNING"
DONE = "PIPELINE_STATUS_SUCCESS"
TRAVEL = "MODULE_PROFESSIONAL_TRAVEL"


def row(version: int, status: str, pipeline: str = "7", **more: Any) -> dict[str, Any]:
    scope = {"year": 2024, "module": TRAVEL}
    return {
        "pipeline_id": pipeline,
        "version": str(version),
        "status": status,
        "kind": "csv_ingest",
        "scope": scope,
        **more,
    }


def job(number: int, job_type: str, state: str, **more: Any) -> dict[str, Any]:
    return {
        "job_id": str(number),
        "pipeline_id": "7",
        "job_type": job_type,
        "state": state,
        "claim_token": "1",
        **more,
    }


def year(*, fresh: bool, stale: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"year": 2024, "modules": [{"module": TRAVEL, "fresh": fresh, "stale_types": stale}]}


@pytest.fixture
def page(tabs: Any) -> Any:
    """A page whose modules can be imported; its own store is another than the one imported."""
    return tabs.open("/login")


def test_rows_in_any_order_give_the_same_view(page: Any) -> None:
    messages = [
        {"pipelines": [row(1, LIVE)]},
        {"pipelines": [row(2, LIVE)], "jobs": [job(1, "csv_ingest", "JOB_STATE_RUNNING")]},
        {"jobs": [job(1, "csv_ingest", "JOB_STATE_FINISHED")]},
        {"pipelines": [row(3, DONE)], "years": [year(fresh=True)]},
    ]
    body = STORE + (
        "for (const one of steps) store.take(one);"
        f"const now = store.standing(2024, '{TRAVEL}');"
        "return [now.kind, now.row.version, store.jobsOf('7')[0].state]; }"
    )
    for order in itertools.permutations(messages):
        assert page.evaluate(body, list(order)) == ["fresh", "3", "JOB_STATE_FINISHED"]


def test_a_row_that_has_started_is_later_than_one_that_waits(page: Any) -> None:
    body = STORE + "for (const one of steps) store.take(one);"
    body += "return store.newestOf(2024, 'MODULE_PROFESSIONAL_TRAVEL').status; }"
    waits = {"pipelines": [row(1, "PIPELINE_STATUS_NOT_STARTED")]}
    runs = {"pipelines": [row(1, LIVE)]}
    for order in itertools.permutations((waits, runs)):
        assert page.evaluate(body, list(order)) == LIVE


def test_a_message_is_seen_whole_or_not_at_all(page: Any) -> None:
    body = STORE + (
        "const { effect } = await import('@preact/signals'); const seen = [];"
        f"effect(() => seen.push(store.standing(2024, '{TRAVEL}').kind));"
        "for (const one of steps) store.take(one); return seen; }"
    )
    ended = {"pipelines": [row(2, DONE)], "years": [year(fresh=True)]}
    begun = {"pipelines": [row(1, LIVE)], "years": [year(fresh=False)]}
    assert page.evaluate(body, [begun, ended]) == ["none", "live", "fresh"]


def test_the_step_is_the_highest_that_began_and_never_falls(page: Any) -> None:
    body = STORE + (
        "const seen = []; for (const one of steps) { store.take(one);"
        f"seen.push(store.standing(2024, '{TRAVEL}').step); }} return seen; }}"
    )
    steps = [
        {"pipelines": [row(1, LIVE)], "jobs": [job(1, "csv_ingest", "JOB_STATE_RUNNING")]},
        {"jobs": [job(1, "csv_ingest", "JOB_STATE_FINISHED")]},
        {"jobs": [job(2, "emission_recalc", "JOB_STATE_QUEUED")]},
        {"jobs": [job(2, "emission_recalc", "JOB_STATE_RUNNING")]},
        {"jobs": [job(2, "emission_recalc", "JOB_STATE_FINISHED")]},
        {"jobs": [job(3, "aggregation", "JOB_STATE_QUEUED")]},
        {"jobs": [job(3, "aggregation", "JOB_STATE_RUNNING")]},
    ]
    assert page.evaluate(body, steps) == [1, 1, 1, 2, 2, 2, 3]


def test_what_has_finished_is_not_taken_back(page: Any) -> None:
    body = STORE + (
        "for (const one of steps) store.take(one); const [one] = store.jobsOf('7');"
        "return [one.state, one.progress.done]; }"
    )
    late = job(
        1, "csv_ingest", "JOB_STATE_RUNNING", progress={"done": "5", "at": "2026-01-01T00:00:09Z"}
    )
    newer = job(
        1, "csv_ingest", "JOB_STATE_RUNNING", progress={"done": "9", "at": "2026-01-01T00:00:10Z"}
    )
    ended = job(
        1, "csv_ingest", "JOB_STATE_FINISHED", progress={"done": "9", "at": "2026-01-01T00:00:10Z"}
    )
    assert page.evaluate(body, [{"jobs": [newer]}, {"jobs": [late]}]) == ["JOB_STATE_RUNNING", "9"]
    assert page.evaluate(body, [{"jobs": [ended]}, {"jobs": [newer]}]) == [
        "JOB_STATE_FINISHED",
        "9",
    ]


@pytest.mark.parametrize(
    ("rows", "told", "kind"),
    [
        ([row(1, LIVE)], year(fresh=False), "live"),
        # What failed has a badge of its own.
        ([row(1, "PIPELINE_STATUS_FAILED")], year(fresh=True), "fresh"),
        ([row(1, "PIPELINE_STATUS_PARTIAL")], year(fresh=False), "stale"),
        ([row(1, DONE)], year(fresh=False, stale=("DATA_ENTRY_TYPE_PLANE",)), "stale"),
        ([row(1, DONE)], year(fresh=True), "fresh"),
        ([row(1, "PIPELINE_STATUS_CANCELLED")], year(fresh=True), "fresh"),
        ([row(1, "PIPELINE_STATUS_FAILED"), row(1, LIVE, "8")], year(fresh=True), "live"),
        # Of another type: it ended before the older one, on which its totals wait.
        ([row(1, LIVE), row(1, DONE, "8")], year(fresh=False), "live"),
        # A check writes nothing, whatever it has found.
        ([row(1, DONE), row(1, LIVE, "8", kind="csv_check")], year(fresh=True), "fresh"),
        ([row(1, "PIPELINE_STATUS_FAILED", kind="factor_check")], None, "none"),
        ([], None, "none"),
    ],
)
def test_a_module_stands_as_its_newest_pipeline_and_its_freshness_say(
    page: Any, rows: list[Any], told: Any, kind: str
) -> None:
    body = STORE + f"store.take(steps); return store.standing(2024, '{TRAVEL}').kind; }}"
    assert page.evaluate(body, {"pipelines": rows, "years": [told] if told else []}) == kind


FAILED, PARTIAL = "PIPELINE_STATUS_FAILED", "PIPELINE_STATUS_PARTIAL"


@pytest.mark.parametrize(
    ("rows", "told", "failing"),
    [
        ([], [], None),
        ([row(1, DONE)], [], None),
        # What ended last, before the server is asked.
        ([row(1, FAILED)], [], "7"),
        ([row(1, PARTIAL)], [], "7"),
        ([row(1, FAILED), row(1, LIVE, "8")], [], "7"),
        # A newer one hides it only if the server says that nothing stands.
        ([row(1, DONE, "8")], [row(1, FAILED)], "7"),
        ([row(1, FAILED), row(1, DONE, "8")], [], None),
        ([row(1, FAILED, "9"), row(1, DONE, "8")], [row(1, FAILED)], "9"),
        # Neither what was cancelled nor a check is an upload that ended.
        ([row(1, "PIPELINE_STATUS_CANCELLED", "8")], [row(1, FAILED)], "7"),
        ([row(1, FAILED, "8", kind="csv_check")], [], None),
        ([row(1, DONE, "8")], [row(1, FAILED, scope={"year": 2024, "module": "other"})], None),
    ],
)
def test_a_failure_stands_whatever_ended_after_it_until_the_server_says_otherwise(
    page: Any, rows: list[Any], told: list[Any], failing: str | None
) -> None:
    body = STORE + (
        "const [rows, told] = steps;"
        "store.takeActive(2024, told.map((one) => ({ last_failed: one })));"
        "store.take({ pipelines: rows });"
        f"return store.failureOf(2024, '{TRAVEL}')?.pipeline_id ?? null; }}"
    )
    assert page.evaluate(body, [rows, told]) == failing


def test_totals_are_asked_for_again_when_a_pipeline_ends_and_after_a_break(page: Any) -> None:
    body = STORE + (
        "return steps.map((one) => (store.take(one), store.ends.value.get(2024) ?? 0)); }"
    )
    whole = {"pipelines": [row(1, LIVE)], "years": [year(fresh=False)], "whole": True}
    steps = [whole, {"pipelines": [row(2, DONE)]}, {"pipelines": [row(2, DONE)]}, whole]
    assert page.evaluate(body, steps) == [0, 1, 1, 2]


def test_a_tab_that_came_later_asks_for_totals_again_after_a_break_as_the_first_one_does(
    page: Any,
) -> None:
    """It knows what the first one told it, and has never had the whole from the gateway itself."""
    body = STORE + (
        "for (const one of steps) store.take(one); const told = store.snapshot();"
        "const ends = () => store.ends.value.get(2024) ?? 0;"
        "store.forget(); store.take(told); const before = ends();"
        "for (const one of steps) store.take(one); return ends() - before; }"
    )
    whole = {"pipelines": [row(3, DONE)], "years": [year(fresh=True)], "whole": True}
    assert page.evaluate(body, [whole]) == 1
    # Of a tab that has never had the whole nobody learns it.
    assert page.evaluate(body, [{**whole, "whole": False}]) == 0


def test_what_was_live_and_a_whole_does_not_name_has_ended(page: Any) -> None:
    """It ended while the stream was down, and so many others after it that nobody tells how."""
    body = STORE + (
        "for (const one of steps) store.take(one);"
        f"const now = store.standing(2024, '{TRAVEL}');"
        "return [now.kind, [...store.pipelines.value.keys()].sort()]; }"
    )
    known = {"pipelines": [row(1, LIVE), row(2, DONE, "6")], "whole": True, "newest": "7"}
    of_after = {
        "pipelines": [row(2, DONE, "8")],
        "years": [year(fresh=True)],
        "whole": True,
        "newest": "9",
    }
    assert page.evaluate(body, [known, of_after]) == ["fresh", ["6", "8"]]
    # Those who wrote it did not know yet what was submitted just then, nor did all tell of it.
    submitted = {"pipelines": [row(0, LIVE, "10")]}
    assert page.evaluate(body, [known, submitted, of_after]) == ["live", ["10", "6", "8"]]
    changed = {**of_after, "whole": False}
    assert page.evaluate(body, [known, changed]) == ["live", ["6", "7", "8"]]


def test_of_more_than_a_whole_names_what_it_leaves_out_stands_until_the_server_is_asked(
    page: Any,
) -> None:
    """It may be live: a module shows so without a flash, and nobody counts it."""
    body = STORE + (
        "const seen = []; const look = () => seen.push("
        f"[store.standing(2024, '{TRAVEL}').kind, store.liveCount.value]);"
        "const [known, part, active, ended] = steps; store.take(known); look();"
        "store.take(part); look(); const told = store.snapshot();"
        "store.takeActive(2024, [active]); look(); store.take(ended); look();"
        "store.forget(); store.take(told); look();"
        "store.takeActive(2024, [{ module: active.module }]); look(); return seen; }"
    )
    other = row(2, LIVE, "8", scope={"year": 2023, "module": TRAVEL})
    known = {"pipelines": [row(1, LIVE)], "years": [year(fresh=True)], "whole": True, "newest": "7"}
    part = {"pipelines": [other], "whole": True, "newest": "8", "more_live": True}
    active = {"module": TRAVEL, "active": row(1, LIVE)}
    ended = {"pipelines": [row(2, DONE)]}
    assert page.evaluate(body, [known, part, active, ended]) == [
        ["live", 1],
        ["live", 1],
        ["live", 2],
        ["fresh", 1],
        # A tab that came later knows what is doubtful, and the server that it has ended.
        ["live", 1],
        ["fresh", 1],
    ]


def test_an_end_is_counted_where_it_may_have_changed_something(page: Any) -> None:
    """Pages of the year ask for totals, and for failures as long as one is known."""
    body = STORE + (
        "const at = (counted) => counted.value.get(2024) ?? 0;"
        "return steps.map((one) => (store.take(one), [at(store.ends), at(store.failureEnds)])); }"
    )
    steps = [
        {"pipelines": [row(1, LIVE, str(number)) for number in range(4)], "whole": True},
        {"pipelines": [row(2, DONE, "0")]},
        {"pipelines": [row(2, FAILED, "1", kind="csv_check")]},
        {"pipelines": [row(2, FAILED, "2")]},
        {"pipelines": [row(2, DONE, "3")]},
    ]
    assert page.evaluate(body, steps) == [[0, 0], [1, 0], [1, 0], [2, 1], [3, 2]]


def test_a_year_is_asked_for_unless_the_stream_tells_of_it(page: Any) -> None:
    body = STORE + (
        "const seen = [store.isFollowed(2024)];"
        "for (const one of steps) { store.take(one); seen.push(store.isFollowed(2024)); }"
        "const told = store.snapshot(); store.forget(); seen.push(store.isFollowed(2024));"
        "store.take(told); seen.push(store.isFollowed(2024)); return seen; }"
    )
    told = {"years": [year(fresh=True)]}
    steps = [told, {**told, "whole": False}]
    assert page.evaluate(body, steps) == [False, False, True, False, True]
