"""Somebody who acts for two institutions chooses one, and every tab shows that one alone."""

from typing import Any

from tests.browser.axe_in_every_look import axe_finds
from tests.browser.scripted_stack import SCOPE, Scripted
from tests.browser.settling import settled


def test_who_acts_for_two_institutions_chooses_one_and_may_change(
    scripted: Scripted, as_role: Any
) -> None:
    own = scripted.run(scripted.driver.submit("noop", SCOPE))
    tabs = as_role("operator")
    tabs.context.clear_cookies()
    page = tabs.open("/login?next=/pipelines")
    page.get_by_label("Token").fill("operator@local/other")
    page.get_by_label("Token").press("Enter")
    page.get_by_role("heading", name="Choose an institution").wait_for()
    page.locator("main").get_by_label("Institution").select_option("other")
    page.get_by_text("No pipeline is like this.").wait_for()
    page.get_by_role("link", name="carbonline · other").wait_for()
    second = tabs.open("/pipelines")
    page.get_by_text("Display").press("Enter")
    page.get_by_label("Institution").select_option("local")
    for one in (page, second):
        one.get_by_role("link", name=str(own.pipeline_id), exact=True).wait_for()
        one.get_by_role("link", name="carbonline · local").wait_for()
    settled(page)
    assert axe_finds(page) == {}
    # Of the next caller nothing is chosen yet.
    page.goto(f"{scripted.url}/login")
    page.get_by_label("Token").fill("operator@local")
    page.get_by_label("Token").press("Enter")
    page.get_by_role("link", name="carbonline", exact=True).wait_for()
    page.get_by_text("Live").first.wait_for()
    assert [one["name"] for one in tabs.context.cookies()] == ["carbonline"]
