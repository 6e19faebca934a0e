"""The page Pipelines: counts that filter, filters in the address, how long each waited and ran."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from carbonline.v1 import types_pb2
from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import settled

FAILED = types_pb2.JOB_RESULT_ERROR


def submitted(scripted: Scripted, unit: str = "") -> int:
    scope = types_pb2.Scope(tenant="local", unit=unit)
    return scripted.run(scripted.driver.submit("noop", scope)).pipeline_id


def ended(scripted: Scripted, result: Any = types_pb2.JOB_RESULT_SUCCESS) -> None:
    """The pipeline that has waited longest ends."""
    (job,) = scripted.run(scripted.driver.claim("noop"))
    scripted.run(scripted.driver.finish(job, result))


def chip(page: Any, name: str) -> Any:
    return page.get_by_role("group", name="Status").get_by_role("button", name=name, exact=True)


def rows(page: Any) -> list[str]:
    return [one.inner_text() for one in page.locator("tbody th").all()]


def test_counts_follow_what_happens_and_each_is_a_filter_in_the_address(
    scripted: Scripted, as_role: Any
) -> None:
    first, second = submitted(scripted), submitted(scripted)
    ended(scripted, FAILED)
    tabs: Tabs = as_role("monitor")
    page = tabs.open("/pipelines")
    for name in ("All 2", "Failed 1", "Waiting 1", "Running 0", "Done 0"):
        chip(page, name).wait_for()
    # The stream tells of the end, and of what is new.
    ended(scripted)
    third = submitted(scripted)
    for name in ("All 3", "Failed 1", "Waiting 1", "Done 1"):
        chip(page, name).wait_for()
    chip(page, "Failed 1").press("Enter")
    page.get_by_role("link", name=str(second), exact=True).wait_for(state="detached")
    assert rows(page) == [str(first)]
    assert parse_qs(urlsplit(page.url).query) == {"status": ["FAILED"]}
    # Who filters keeps the focus, and sees what else there is.
    assert page.evaluate("document.activeElement.ariaPressed") == "true"
    chip(page, "All 3").wait_for()
    again = tabs.open(urlsplit(page.url).path + "?" + urlsplit(page.url).query)
    settled(again)
    assert rows(again) == [str(first)]
    assert axe_finds(again) == {}
    chip(page, "All 3").press("Enter")
    page.get_by_role("link", name=str(third), exact=True).wait_for()


def test_all_that_match_are_retried_after_a_count_of_what_would_happen(
    scripted: Scripted, as_role: Any
) -> None:
    failed = [submitted(scripted, unit=unit) for unit in ("0828", "0828", "0900")]
    for _ in failed:
        ended(scripted, FAILED)
    tabs: Tabs = as_role("gateway")
    tabs.expected = ("409",)
    # One of them is known to be done by somebody else.
    tabs.context.route(
        f"**/v1/pipelines/{failed[0]}:retry",
        lambda route: route.fulfill(status=409, json={"title": "No", "reason": "SUPERSEDED"}),
    )
    page = tabs.open("/pipelines?status=FAILED&unit=0828")
    page.get_by_role("button", name="Retry all that match").press("Enter")
    counted = "run again: 1. A newer upload is there: 1. Would be refused: 0."
    page.get_by_text(counted).wait_for()
    chip(page, "Waiting 0").wait_for()
    page.locator("button.danger", has_text="Retry all that match").press("Enter")
    page.get_by_text("Retried: 1. A newer upload is there: 1. Refused: 0.").wait_for()
    chip(page, "Waiting 1").wait_for()
    assert rows(page) == [str(one) for one in failed[1::-1]]
    assert axe_finds(page) == {}
    # What has succeeded is not offered.
    chip(page, "Waiting 1").press("Enter")
    page.get_by_role("button", name="Retry all that match").wait_for(state="detached")


async def names(scripted: Scripted, pipeline_id: int, person: str) -> None:
    conn = await asyncpg.connect(scripted.database_url)
    update = "UPDATE scheduler.pipelines SET submitted_by = $2 WHERE pipeline_id = $1"
    await conn.execute(update, pipeline_id, person)
    await conn.close()


@pytest.mark.parametrize(
    ("label", "text", "key"),
    [("Unit", "0828", "unit"), ("By", "rosa", "by"), ("Text", "RO", "text")],
)
def test_a_unit_a_person_and_a_text_are_filters_in_the_address(
    scripted: Scripted, as_role: Any, label: str, text: str, key: str
) -> None:
    submitted(scripted)
    wanted = submitted(scripted, unit="0828")
    scripted.run(names(scripted, wanted, "rosa"))
    submitted(scripted, unit="0900")
    page = as_role("monitor").open("/pipelines")
    chip(page, "All 3").wait_for()
    page.get_by_label(label, exact=True).fill(text)
    page.keyboard.press("Enter")
    chip(page, "All 1").wait_for()
    settled(page)
    assert rows(page) == [str(wanted)]
    assert parse_qs(urlsplit(page.url).query) == {key: [text]}
    page.reload()
    chip(page, "All 1").wait_for()
    assert page.get_by_label(label, exact=True).input_value() == text
    # What is new and not like this is neither listed nor counted.
    submitted(scripted)
    page.get_by_text("Live, 4 running").wait_for()
    assert rows(page) == [str(wanted)]
    chip(page, "All 1").wait_for()


async def moments(scripted: Scripted, pipeline_id: int) -> None:
    """Submitted at noon, begun 65 seconds later, and over after another 3 seconds."""
    conn = await asyncpg.connect(scripted.database_url)
    noon = "CAST('2026-01-02 12:00:00+00' AS timestamptz)"
    await conn.execute(
        f"UPDATE scheduler.jobs SET created_at = {noon}, started_at = {noon} + interval '65 s',"
        f" finished_at = {noon} + interval '68 s' WHERE pipeline_id = $1",
        pipeline_id,
    )
    await conn.execute(
        f"UPDATE scheduler.pipelines SET created_at = {noon},"
        f" finished_at = {noon} + interval '68 s' WHERE pipeline_id = $1",
        pipeline_id,
    )
    await conn.close()


def test_the_list_and_the_page_of_one_tell_how_long_it_waited_and_ran(
    scripted: Scripted, as_role: Any
) -> None:
    pipeline_id = submitted(scripted)
    ended(scripted)
    scripted.run(moments(scripted, pipeline_id))
    tabs: Tabs = as_role("monitor")
    page = tabs.open("/pipelines")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=str(pipeline_id)))
    row.get_by_role("cell", name="1 min 5 s", exact=True).wait_for()
    row.get_by_role("cell", name="3 s", exact=True).wait_for()
    page.get_by_role("link", name=str(pipeline_id), exact=True).click()
    facts = page.locator("dl.facts > div")
    for name, value in (("Waited", "1 min 5 s"), ("Ran", "3 s")):
        facts.filter(has_text=name).get_by_text(value, exact=True).wait_for()


def test_a_pipeline_gives_the_file_that_it_came_from(tabs: Tabs, some_flights: Any) -> None:
    with tabs.site.client() as client:
        sent = client.submit_file(some_flights, "plane", year=2024)
    page = tabs.open(f"/pipelines/{sent.pipeline_id}")
    link = page.get_by_role("link", name=some_flights.name)
    with page.expect_download() as begun:
        link.click()
    assert begun.value.suggested_filename == some_flights.name
    assert begun.value.path().read_bytes() == some_flights.read_bytes()
    # What came from no file has none.
    assert page.get_by_role("term").filter(has_text="File").count() == 1


def test_what_came_from_no_file_gives_none(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("monitor").open(f"/pipelines/{answer.pipeline_id}")
    settled(page)
    page.get_by_role("term").filter(has_text="Submitted").wait_for()
    assert page.get_by_role("term").filter(has_text="File").count() == 0
