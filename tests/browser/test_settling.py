"""What is read of a page is read once all of it is there, however late the answers are."""

from typing import Any

import pytest

from tests.browser.conftest import Tabs
from tests.browser.settling import LOOK, comes, settled

# Of each page an answer without which the rest of it is there, and what it brings. Nothing on the
# page says that the file of a pipeline is still to come.
ANSWERS = {
    "/pipelines/1": ("**/v1/jobs/*", "File"),
    "/health": ("**/v1/workers*", "Workers"),
}
# Longer than a page needs to draw what it has.
LOOKS = 10


@pytest.mark.parametrize("path", ANSWERS)
def test_a_page_is_read_after_its_last_answer(tabs: Tabs, path: str) -> None:
    address, brought = ANSWERS[path]
    page = tabs.open("/login")
    held: list[str] = []

    def answer_late(route: Any) -> None:
        for _ in range(LOOKS):
            page.evaluate(LOOK)
        held.append(route.request.url)
        route.continue_()

    page.route(address, answer_late)
    page.goto(tabs.site.url + path, wait_until="commit")
    page.locator("nav").first.wait_for()
    settled(page)
    told = page.locator("dt, h2").all_inner_texts()
    assert held
    assert brought in told


def test_a_page_is_read_again_until_it_says_what_is_wanted(tabs: Tabs) -> None:
    page = tabs.open("/login")
    ends = iter((1, 2, 3))
    assert comes(page, lambda: next(ends), lambda number: number == 2) == 2
