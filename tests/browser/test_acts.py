"""What people do to a pipeline: find out why it waits, cancel, recover, retry; and who may."""

import re
from functools import partial
from typing import Any

import asyncpg
import pytest

from carbonline.v1 import scheduler_pb2, types_pb2
from tests.browser.axe_in_every_look import axe_finds
from tests.browser.conftest import Tabs
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import comes, settled
from tests.gateway.test_sync import TRAVEL
from tests.scheduler_service.rpc.test_totals import ingested

# Roles, and acts that their pages offer.
ACTS = {
    "operator": {"Cancel", "Recover", "Lock the year", "Upload a file", "Pause", "Drain", "Verify"},
    "gateway": {"Cancel", "Upload a file"},
    "monitor": {"Verify"},
    "auditor": {"Verify"},
}
WIDTH_OF_WORDS = """(element) => {
    const words = document.createRange();
    words.selectNodeContents(element);
    return words.getBoundingClientRect().width;
}"""


def test_a_job_that_waits_says_why_in_place(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("operator").open(f"/pipelines/{answer.pipeline_id}")
    page.get_by_text("Why does it wait?").wait_for()
    page.get_by_role("listitem").filter(
        has_text=re.compile("worker", re.IGNORECASE)
    ).first.wait_for()
    # Its words are as wide as a sentence, and not as the sign of a step.
    assert page.locator(".why li").first.evaluate(WIDTH_OF_WORDS) > 200


def test_a_pipeline_is_cancelled_by_keyboard_with_a_reason(
    scripted: Scripted, as_role: Any
) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("gateway").open(f"/pipelines/{answer.pipeline_id}")
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    # The focus is at the safe choice.
    page.get_by_role("button", name="Leave it").wait_for()
    assert page.evaluate("document.activeElement.textContent.trim()") == "Leave it"
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("Sent twice")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).get_by_text("Cancelled").wait_for()
    page.get_by_text("Timeline").focus()
    page.keyboard.press("Enter")
    page.get_by_text("Sent twice").first.wait_for()


def test_leaving_a_question_returns_the_focus(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("gateway").open(f"/pipelines/{answer.pipeline_id}")
    opener = page.get_by_role("button", name="Cancel")
    opener.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Leave it").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Leave it").wait_for(state="detached")
    page.locator("button:focus", has_text="Cancel").wait_for()


def test_a_live_claim_is_taken_only_at_a_second_question(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    scripted.run(scripted.driver.claim("noop"))
    tabs: Tabs = as_role("operator")
    tabs.expected = ("409",)
    page = tabs.open(f"/pipelines/{answer.pipeline_id}")
    page.get_by_role("button", name="Recover").click()
    page.get_by_label("Reason").fill("It hangs")
    page.locator("button.danger", has_text="Recover").click()
    page.get_by_role("alert").wait_for()
    page.get_by_role("button", name="Take it from its live worker").click()
    page.get_by_text("waits", exact=False).first.wait_for()
    page.get_by_text("Timeline").click()
    page.get_by_text("recovered").first.wait_for()


def test_the_list_says_how_many_jobs_have_ended_and_failed_and_why(
    scripted: Scripted, as_role: Any
) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    (job,) = scripted.run(scripted.driver.claim("noop"))
    page = as_role("monitor").open("/pipelines")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=str(answer.pipeline_id)))
    row.get_by_role("cell", name="0 of 1", exact=True).wait_for()
    ending = scripted.driver.ending(job, types_pb2.JOB_RESULT_ERROR)
    ending.message = "The airports are of another year."
    scripted.run(finish(scripted, ending))
    row.get_by_role("cell", name="1 of 1, 1 failed", exact=True).wait_for()
    row.get_by_text("The airports are of another year.").wait_for()


async def finish(scripted: Scripted, ending: scheduler_pb2.FinishRequest) -> None:
    await scripted.driver.scheduler.Finish(ending)


def test_a_retry_says_what_would_run_again(scripted: Scripted, as_role: Any) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    (job,) = scripted.run(scripted.driver.claim("noop"))
    scripted.run(scripted.driver.finish(job, types_pb2.JOB_RESULT_ERROR))
    page = as_role("gateway").open(f"/pipelines/{answer.pipeline_id}")
    page.get_by_role("button", name="Retry").click()
    page.get_by_text("Runs again: Do nothing.").wait_for()
    page.locator("button.danger", has_text="Retry").click()
    page.get_by_role("term").filter(has_text="Retries").wait_for()


def test_a_paused_type_is_listed_with_who_and_why_and_resumed(
    scripted: Scripted, as_role: Any
) -> None:
    scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("operator").open("/health")
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_label("Reason").fill("New factors come")
    page.locator("button.danger", has_text="Pause").click()
    page.get_by_role("region", name="Queues").get_by_text("paused").wait_for()
    page.get_by_role("button", name="Ask again Paused").click()
    row = page.get_by_role("row", name="New factors come")
    row.get_by_role("button", name="Resume").click()
    page.locator("button.danger", has_text="Resume").click()
    page.get_by_text("No kind of job is paused.").wait_for()


def test_a_module_whose_totals_are_stale_is_recalculated_where_one_sees_it(
    scripted: Scripted, as_role: Any
) -> None:
    scripted.run(scripted.driver.provision())
    scripted.run(ingested(scripted.driver, TRAVEL))
    for failing in ("emission_recalc", "aggregation"):
        (job,) = scripted.run(scripted.driver.claim(failing))
        scripted.run(scripted.driver.finish(job, types_pb2.JOB_RESULT_ERROR))
    tabs: Tabs = as_role("gateway")
    tabs.expected = ("403",)
    for path in ("/years/2024", "/health"):
        page = tabs.open(path)
        act = page.get_by_role("button", name="Recalculate Professional travel 2024")
        act.press("Enter")
        page.get_by_role("button", name="Leave it").wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        # The focus is where it was, also when nothing is stale any more.
        page.locator("button:focus", has_text="Recalculate").wait_for()
        if path.startswith("/years"):
            page.get_by_text("Recalculating, step").first.wait_for()
            page.evaluate(DRAWN)
            assert page.locator("button:focus").inner_text().startswith("Recalculate")
        (job,) = scripted.run(scripted.driver.claim("module_emission_recalc"))
        scope = job.job.scope
        assert (scope.module, scope.year, scope.data_entry_type) == (TRAVEL.module, 2024, 0)
        scripted.run(scripted.driver.finish(job))
        page.close()
    page = as_role("auditor").open("/years/2024")
    page.get_by_text("Professional travel").first.wait_for()
    settled(page)
    page.evaluate(DRAWN)
    assert page.get_by_role("button", name="Recalculate").count() == 0


def test_verify_says_that_every_rule_holds(scripted: Scripted, as_role: Any) -> None:
    scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("operator").open("/health")
    page.get_by_role("button", name="Verify").click()
    page.get_by_text("Every rule holds: 1 pipeline").wait_for()


# What an answer changes is drawn within two frames.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.mark.parametrize("role", ACTS)
def test_an_act_that_would_be_refused_is_not_offered(
    scripted: Scripted, as_role: Any, role: str
) -> None:
    scripted.run(scripted.driver.provision())
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    scripted.run(scripted.driver.claim("noop"))
    # However long it takes to look: the claim ends by itself, and its worker is lost.
    scripted.run(scripted.driver.submit("noop", SCOPE))
    tabs: Tabs = as_role(role)
    tabs.expected = ("403",)
    offered: set[str] = set()
    for path in (f"/pipelines/{answer.pipeline_id}", "/years/2024", "/health"):
        page = tabs.open(path)
        page.get_by_text("Live").first.wait_for()
        # Until the page knows who looks, it offers nothing to anybody.
        settled(page)
        page.evaluate(DRAWN)
        # What the last page lacks may come: on a busy machine an answer is refused for now.
        wanted = ACTS[role] - offered if path == "/health" else set()
        offered |= comes(page, partial(acts_on, page), wanted.issubset)
        page.close()
    assert offered == ACTS[role]


def acts_on(page: Any) -> set[str]:
    """What the page offers of all acts. It asks again for what was refused for now."""
    again = page.get_by_role("button", name="Try again")
    if again.count():
        again.first.click()
    shown = page.locator("main button, main a").all_inner_texts()
    return ACTS["operator"].intersection(one.split("\n")[0].strip() for one in shown)


async def unit_of(scripted: Scripted) -> None:
    conn = await asyncpg.connect(scripted.database_url)
    await conn.execute("INSERT INTO carbon.units VALUES ('local', '0828', '0828', 'Physics', 0)")
    await conn.close()


def test_who_sees_one_unit_is_offered_nothing_about_the_whole_institution(
    scripted: Scripted, as_role: Any
) -> None:
    scripted.run(scripted.driver.provision())
    scripted.run(unit_of(scripted))
    # No answer is a refusal: a page that asked for more would report one.
    tabs: Tabs = as_role("operator", unit="0828")
    for name in ("years/2024", "totals?year=2024", "explain?year=2024", "upload", "health"):
        path = f"/{name}"
        page = tabs.open(path)
        page.get_by_text("Your login is for unit 0828 alone.").wait_for()
        settled(page)
        page.evaluate(DRAWN)
        assert page.get_by_role("alert").count() == 0, path
        shown = page.locator("main button, main a").all_inner_texts()
        offered = ACTS["operator"].intersection(one.split("\n")[0].strip() for one in shown)
        assert offered <= {"Upload a file"}, path
        if path.startswith("/upload"):
            for label, offered_there in (("What", ["Activity data"]), ("Unit", ["0828"])):
                options = page.get_by_label(label).locator("option")
                assert options.all_inner_texts() == offered_there
        assert axe_finds(page) == {}, path
        page.close()


def test_a_part_that_one_may_not_see_says_so_and_the_others_are_there(
    scripted: Scripted, as_role: Any
) -> None:
    tabs: Tabs = as_role("auditor")
    tabs.expected = ("403",)
    page = tabs.open("/health")
    page.get_by_text("Nothing is stale").wait_for()
    page.get_by_role("alert").first.wait_for()
    assert page.get_by_role("button", name="Try again").count() == 0


def test_who_looks_is_asked_again_until_there_is_an_answer(tabs: Tabs) -> None:
    tabs.expected = ("503",)
    tabs.context.route(
        "**/v1/me", lambda route: route.fulfill(status=503, json={"title": "Later"}), times=1
    )
    page = tabs.open("/years/2024")
    page.get_by_role("button", name="Lock the year").wait_for()


def test_the_focus_is_on_the_page_when_an_act_takes_its_button_away(
    scripted: Scripted, as_role: Any
) -> None:
    answer = scripted.run(scripted.driver.submit("noop", SCOPE))
    page = as_role("gateway").open(f"/pipelines/{answer.pipeline_id}")
    page.get_by_role("button", name="Cancel").press("Enter")
    page.get_by_role("button", name="Leave it").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1).get_by_text("Cancelled").wait_for()
    page.locator("main:focus").wait_for()


def test_a_file_of_rejected_rows_that_cannot_be_read_is_not_a_list_of_rows(
    tabs: Tabs, some_flights: Any
) -> None:
    tabs.expected = ("404",)
    with tabs.site.client() as client:
        sent = client.submit_file(some_flights, "plane", year=2024)
    problem = {"title": "Not Found", "status": 404, "detail": "The file is kept no longer."}
    tabs.context.route(
        "**/v1/blobs/**/content", lambda route: route.fulfill(status=404, json=problem)
    )
    page = tabs.open(f"/rejected/{sent.pipeline_id}")
    page.get_by_role("alert").get_by_text("The file is kept no longer.").wait_for()
    assert page.get_by_role("table").count() == 0


def test_a_pipeline_that_joined_a_job_shows_its_step(scripted: Scripted, as_role: Any) -> None:
    scripted.run(scripted.driver.provision())
    own, joined = [
        scripted.run(scripted.driver.submit("emission_recalc", TRAVEL)) for _ in range(2)
    ]
    assert joined.job_id == own.job_id
    tabs = as_role("operator")
    for one in (own, joined):
        page = tabs.open(f"/pipelines/{one.pipeline_id}")
        page.locator(".steps > li").first.wait_for()
        assert page.locator(".steps > li").count() == 1


def test_who_logs_out_in_one_tab_is_logged_out_in_all(tabs: Tabs) -> None:
    tabs.expected = ("401",)
    first, second = tabs.open("/years/2024"), tabs.open("/pipelines")
    for page in (first, second):
        page.get_by_text("Live").first.wait_for()
    second.get_by_text("Display").click()
    second.get_by_role("button", name="Log out").click()
    for page in (second, first):
        page.get_by_label("Token").wait_for()


SUBMITTED = """() => fetch("/v1/pipelines", {
    method: "POST", headers: { "content-type": "application/json" },
    body: JSON.stringify({ job_type: "noop", scope: {}, request_id: "%s" }),
}).then((answer) => answer.json()).then((answer) => answer.pipeline_id)"""


def test_a_login_as_somebody_else_begins_all_tabs_anew(scripted: Scripted, as_role: Any) -> None:
    before = str(scripted.run(scripted.driver.submit("noop", SCOPE)).pipeline_id)
    tabs: Tabs = as_role("operator")
    first, second = tabs.open("/pipelines"), tabs.open("/login?next=/pipelines")
    first.get_by_role("link", name=before, exact=True).wait_for()
    second.get_by_label("Token").fill("operator@elsewhere")
    second.keyboard.press("Enter")
    second.get_by_text("Live").first.wait_for()
    after = second.evaluate(SUBMITTED % "33333333-3333-3333-3333-333333333333")
    for page in (second, first):
        page.get_by_role("link", name=after, exact=True).wait_for()
        assert page.get_by_role("link", name=before, exact=True).count() == 0
