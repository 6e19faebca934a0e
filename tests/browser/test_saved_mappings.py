"""Mappings under names: listed, shown, chosen for an upload, and removed; and schedules."""

import re
from typing import Any

from carbonline.v1 import schedules_pb2
from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import settled

MAPPING = {"columns": {"Von": "origin_iata"}, "decimal": "comma", "dates": "dd.mm.yyyy"}
SAVE = """async ([path, body]) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(await answer.text());
}"""
LINES = (
    "unit_institutional_id,Von,destination_iata,user_institutional_id,cabin_class,departure_date\n"
    "UA,JFK,LAX,a1,economy,24.12.2024\n"
)


def opened(tabs: Tabs, path: str, name: str) -> Any:
    """A page, once a mapping of a name is saved."""
    page = tabs.open(path)
    body = {"data_entry_type": "DATA_ENTRY_TYPE_PLANE", "name": name, "mapping": MAPPING}
    page.evaluate(SAVE, ["/v1/mappings", body])
    page.reload()
    settled(page)
    return page


def test_a_mapping_is_listed_shown_and_removed_by_keyboard(tabs: Tabs) -> None:
    page = opened(tabs, "/mappings", "agency")
    page.locator("summary", has_text="agency, for Plane").press("Enter")
    page.get_by_role("row", name="Von").get_by_text("origin_iata").wait_for()
    page.get_by_role("cell", name="a comma").wait_for()
    page.locator("[open]").get_by_role("button", name="Remove").press("Enter")
    page.locator("button:focus", has_text="Leave it").wait_for()
    page.locator("button.danger", has_text="Remove").press("Enter")
    page.locator("summary", has_text="agency, for Plane").wait_for(state="detached")


def test_an_upload_is_read_with_the_mapping_that_was_chosen(tabs: Tabs) -> None:
    page = opened(tabs, "/upload?year=2024&type=DATA_ENTRY_TYPE_PLANE", "bureau")
    chosen = page.get_by_label("Columns of another program")
    chosen.select_option(label="bureau")
    file = {"name": "t.csv", "mimeType": "text/csv", "buffer": LINES.encode()}
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Check first").click()
    page.locator(".check-result[aria-busy=false]").wait_for()
    read = page.locator("table.check tr", has_text="Would count").locator("td")
    assert read.inner_text() == "1"


def test_axe_finds_nothing_in_mappings(tabs: Tabs) -> None:
    page = opened(tabs, "/mappings", "axe")
    page.locator("summary", has_text="axe, for Plane").click()
    assert axe_finds(page) == {}


def test_who_may_only_look_is_not_offered_to_remove(scripted: Scripted, as_role: Any) -> None:
    page = opened(as_role("gateway"), "/mappings", "agency")
    page.locator("summary", has_text="agency").click()
    page.locator("[open]").get_by_role("button", name="Remove").wait_for()
    page = as_role("auditor").open("/mappings")
    page.locator("summary", has_text="agency").wait_for()
    # Who looks is known, too.
    settled(page)
    page.locator("summary", has_text="agency").click()
    page.get_by_text("origin_iata").wait_for()
    assert page.get_by_role("button", name="Remove").count() == 0


def nightly(scripted: Scripted) -> None:
    request = schedules_pb2.CreateScheduleRequest(
        name="nightly", cron="15 2 * * *", job_type="unit_sync", scope=SCOPE
    )
    request.payload.update({"provider": "unit-directory"})
    scripted.run(create(scripted, request))


async def create(scripted: Scripted, request: schedules_pb2.CreateScheduleRequest) -> None:
    await scripted.driver.operations.CreateSchedule(request)


def test_a_schedule_is_listed_paused_with_a_reason_and_resumed(
    scripted: Scripted, as_role: Any
) -> None:
    nightly(scripted)
    page = as_role("operator").open("/health")
    row = page.get_by_role("row", name="nightly")
    row.get_by_text("15 2 * * *").wait_for()
    row.get_by_role("button", name="Pause").click()
    row.get_by_label("Reason").fill("Holidays")
    row.locator("button.danger", has_text="Pause").click()
    row.get_by_text("Holidays").wait_for()
    row.get_by_role("button", name="Resume").click()
    row.locator("button.danger", has_text="Resume").click()
    row.get_by_text(re.compile("02:15|2:15")).wait_for()
    assert axe_finds(page) == {}


def test_who_may_only_look_sees_schedules_without_buttons(scripted: Scripted, as_role: Any) -> None:
    nightly(scripted)
    tabs: Tabs = as_role("auditor")
    tabs.expected = ("403",)
    page = tabs.open("/health")
    row = page.get_by_role("row", name="nightly")
    row.wait_for()
    assert row.get_by_role("button").count() == 0


async def names(scripted: Scripted) -> list[str]:
    """The schedules that are there."""
    answer = await scripted.driver.operations.ListSchedules(schedules_pb2.ListSchedulesRequest())
    return [one.name for one in answer.schedules]


def test_a_schedule_is_checked_created_and_removed(scripted: Scripted, as_role: Any) -> None:
    tabs: Tabs = as_role("operator")
    # A field that is wrong, below.
    tabs.expected = ("400",)
    page = tabs.open("/health")
    page.get_by_role("button", name="New schedule").press("Enter")
    page.get_by_label("Name: a-z").fill("hourly")
    page.get_by_label("Provider").fill("unit-directory")
    page.get_by_label("When: minute").fill("61 * * * *")
    page.get_by_role("button", name="Create the schedule").press("Enter")
    page.locator(".trouble:focus").wait_for()
    page.get_by_label("When: minute").fill("7 * * * *")
    page.get_by_role("button", name="Check first").press("Enter")
    page.get_by_text("Nothing is created yet. Next times").wait_for()
    assert axe_finds(page) == {}
    assert scripted.run(names(scripted)) == []
    page.get_by_role("button", name="Create the schedule").press("Enter")
    row = page.get_by_role("row", name="hourly")
    row.get_by_text("7 * * * *").wait_for()
    row.get_by_role("button", name="Remove").press("Enter")
    row.locator("button:focus", has_text="Leave it").wait_for()
    row.locator("button.danger", has_text="Remove").press("Enter")
    row.wait_for(state="detached")
    page.get_by_text("Nothing is scheduled.").wait_for()


# What a scheduler lists of a job type that its deployment declares.
DECLARED = {
    "job_type": "fleet_check",
    "enabled": True,
    "may_be_scheduled": True,
    "any_payload": False,
    "scope_parts": ["year"],
    "optional_scope_parts": ["unit"],
    "payload_keys": [
        {"name": "depot", "meaning": "the depot looked at", "required": True, "values": []},
        {"name": "then", "meaning": "what follows", "required": False, "values": ["fetch"]},
    ],
}


def named_schedule(page: Any, name: str) -> None:
    """A new schedule of this name, of which nothing else is said."""
    page.get_by_role("button", name="New schedule").press("Enter")
    page.get_by_label("Name: a-z").fill(name)
    page.get_by_label("When: minute").fill("7 * * * *")


def test_jobs_that_fetch_nothing_are_scheduled_with_what_they_need(
    scripted: Scripted, as_role: Any
) -> None:
    tabs: Tabs = as_role("operator")
    # This scheduler knows no declared type, and says so.
    tabs.expected = ("400",)
    page = tabs.open("/health")
    named_schedule(page, "sums")
    # The text of a label has that of the options within it.
    what = page.locator("select[name=what]")
    what.locator("option", has_text="Sum totals").wait_for(state="attached")
    what.select_option(label="Sum totals")
    page.get_by_label("Provider").wait_for(state="detached")
    page.locator("select[name=module]").select_option(value="MODULE_PURCHASE")
    page.get_by_label("Year (empty").fill("2030")
    page.get_by_role("button", name="Create the schedule").press("Enter")
    page.get_by_role("row", name="sums").wait_for()
    assert scripted.run(names(scripted)) == ["sums"]
    page.route("**/v1/job-types", lambda route: route.fulfill(json={"job_types": [DECLARED]}))
    named_schedule(page, "fleet")
    what.locator("option", has_text="Fleet check").wait_for(state="attached")
    what.select_option(label="Fleet check")
    page.get_by_label("depot: the depot looked at").fill("north")
    page.get_by_label("then: what follows").select_option(value="fetch")
    page.locator("input[name=unit]").fill("0828")
    assert axe_finds(page) == {}
    with page.expect_request(lambda one: one.method == "POST" and "schedules" in one.url) as sent:
        page.get_by_role("button", name="Create the schedule").press("Enter")
    page.locator(".trouble:focus").wait_for()
    wanted = sent.value.post_data_json
    assert (wanted["job_type"], wanted["scope"]) == ("fleet_check", {"unit": "0828"})
    assert wanted["payload"] == {"depot": "north", "then": "fetch"}


def test_who_may_not_schedule_is_not_offered_to(scripted: Scripted, as_role: Any) -> None:
    nightly(scripted)
    page = as_role("monitor").open("/health")
    page.get_by_role("row", name="nightly").wait_for()
    # It may verify: its roles are known.
    page.get_by_role("button", name="Verify").wait_for()
    assert page.get_by_role("button", name="New schedule").count() == 0
    assert page.get_by_role("button", name="Remove").count() == 0
