"""Pages in general: which there are, their language, what is not loaded, and how large they are."""

from typing import Any

import pytest

from tests.browser.conftest import Tabs
from tests.browser.settling import settled

PAGES = (
    "/years/2024",
    "/years/1999",
    "/upload?year=2024",
    "/pipelines",
    "/pipelines?status=CANCELLED",
    "/pipelines/1",
    "/totals?year=2024",
    "/totals?year=1999",
    "/explain?year=2024",
    "/rejected/1",
    "/mappings",
    "/health",
    "/login",
    "/docs",
    "/docs?text=submit#Submit",
    "/pipelines/999999",
)
BYTES_MAX = 100_000
REQUESTS_MAX = 30


def test_the_console_speaks_french(new_tabs: Any) -> None:
    page = new_tabs(locale="fr-FR").open("/years/2024")
    page.get_by_role("heading", name="Voyages professionnels").wait_for()
    assert page.evaluate("document.documentElement.lang") == "fr"


def test_a_browsers_clock_that_is_years_wrong_changes_no_duration(tabs: Tabs) -> None:
    page = tabs.context.new_page()
    page.clock.install(time="2040-01-01T00:00:00Z")
    page.goto(f"{tabs.site.url}/health")
    page.get_by_text("Live").first.wait_for()
    # Asked again, once the server has told its time.
    page.get_by_role("button", name="Ask again").last.click()
    seen = page.get_by_role("row", name="Live").first.get_by_role("cell").nth(2)
    seen.wait_for()
    assert seen.inner_text().endswith(" s"), seen.inner_text()


def test_what_cannot_be_loaded_is_said_and_may_be_tried_again(tabs: Tabs) -> None:
    tabs.expected = ("ERR_FAILED", "Failed to fetch dynamically imported module")
    parts = ("**/pages/health.js", "**/words/fr.js")
    for part in parts:
        tabs.context.route(part, lambda route: route.abort())
    page = tabs.open("/health")
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    missing = page.get_by_role("alert").get_by_text("A part of the console could not be loaded.")
    missing.wait_for()
    # The rest of the console goes on.
    page.get_by_role("link", name="Pipelines").press("Enter")
    page.get_by_role("heading", name="Pipelines", level=1).wait_for()
    assert missing.count() == 0
    page.get_by_text("Display").press("Enter")
    page.get_by_label("Language").select_option("fr")
    missing.wait_for()
    # Why, for who looks for it there.
    assert any("Failed to fetch" in one and "fr.js" in one for one in heard), heard
    for part in parts:
        tabs.context.unroute(part)
    page.get_by_role("link", name="Health").press("Enter")
    page.get_by_role("alert").get_by_role("button", name="Try again").last.press("Enter")
    page.get_by_role("heading", name="Queues").wait_for()
    assert missing.count() == 0


@pytest.mark.parametrize("path", ["/login", "/"])
def test_a_first_visit_is_small(tabs: Tabs, path: str) -> None:
    page = tabs.context.new_page()
    sizes: list[int] = []
    # The console's stream does not end; it counts, and has no size yet.
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("requestfinished", lambda r: sizes.append(r.sizes()["responseBodySize"]))
    page.goto(f"{tabs.site.url}{path}")
    page.locator("h1").first.wait_for()
    settled(page)
    assert sum(sizes) < BYTES_MAX
    assert len(asked) < REQUESTS_MAX, "\n".join(asked)


def test_the_api_is_told_without_a_login(stranger: Tabs) -> None:
    page = stranger.open("/docs")
    page.get_by_label("Only requests that name").fill("blobs")
    page.get_by_text("POST").first.click()
    page.get_by_text("UploadBlobResponse").first.click()
    page.get_by_role("rowheader", name="already_stored").wait_for()
    assert page.url.endswith("#UploadBlobResponse")
