"""The badge of what failed: it stands until it is made good, beside the badge of the totals."""

from typing import Any

import pytest

from carbonline.v1 import types_pb2
from tests.browser.axe_in_every_look import axe_finds
from tests.browser.scripted_stack import Scripted
from tests.browser.settling import settled
from tests.browser.test_acts import finish
from tests.scheduler_service.rpc.conftest import BLOB

TRAVEL = types_pb2.MODULE_PROFESSIONAL_TRAVEL
PLANE, TRAIN = types_pb2.DATA_ENTRY_TYPE_PLANE, types_pb2.DATA_ENTRY_TYPE_TRAIN
FAILED, ENDED_WELL = types_pb2.JOB_RESULT_ERROR, types_pb2.JOB_RESULT_SUCCESS
WHY = "Every row is rejected: the file is of another year."
TILE = "Professional travel"
ACTIVE = "document.activeElement.textContent.trim()"
BADGES = {"totals": "Recalculating, step 1 of 3", "failure": "Failed: Plane"}


def uploaded(
    scripted: Scripted,
    data_entry_type: types_pb2.DataEntryType.ValueType,
    result: types_pb2.JobResult.ValueType,
    **payload: str,
) -> int:
    """An upload of travel that has ended so; its pipeline."""
    scope = types_pb2.Scope(
        tenant="local", module=TRAVEL, data_entry_type=data_entry_type, year=2024
    )
    driver = scripted.driver
    answer = scripted.run(driver.submit("csv_ingest", scope, {"blob": BLOB, **payload}))
    (job,) = scripted.run(driver.claim("csv_ingest"))
    ending = driver.ending(job, result)
    ending.written = types_pb2.WRITTEN_NOTHING
    ending.message = WHY if result == FAILED else "Read."
    scripted.run(finish(scripted, ending))
    return answer.pipeline_id


@pytest.fixture
def provisioned(scripted: Scripted) -> Scripted:
    """A year that takes uploads."""
    scripted.run(scripted.driver.provision())
    return scripted


def tile_of(page: Any) -> Any:
    return page.locator(".tile", has_text=TILE)


def test_a_failed_upload_is_told_whatever_else_is_uploaded_until_it_is_made_good(
    provisioned: Scripted, as_role: Any
) -> None:
    tabs = as_role("operator")
    page = tabs.open("/years/2024")
    page.get_by_text("Live").first.wait_for()
    failed = uploaded(provisioned, PLANE, FAILED)
    badge = tile_of(page).get_by_role("button", name="Failed: Plane")
    badge.wait_for()
    train = uploaded(provisioned, TRAIN, ENDED_WELL)
    page.get_by_role("button", name="No data yet").first.wait_for()
    # Who comes later hears of it from the scheduler.
    later = tabs.open("/years/2024")
    for one in (page, later):
        tile_of(one).get_by_text(f"Pipeline {train}").first.wait_for(state="attached")
        told = tile_of(one).get_by_role("button", name="Failed: Plane")
        told.focus()
        tile_of(one).get_by_text(f"Pipeline {failed}").wait_for()
        tile_of(one).get_by_text(WHY).first.wait_for()
    settled(later)
    assert axe_finds(later) == {}
    later.close()
    # Of another source: the file that failed is missing still.
    uploaded(provisioned, PLANE, ENDED_WELL, source="agency")
    badge.wait_for()
    uploaded(provisioned, PLANE, ENDED_WELL)
    badge.wait_for(state="detached")
    # Nobody who was in it with the keyboard is lost.
    page.locator("main:focus").wait_for()


@pytest.mark.parametrize("which", BADGES)
def test_each_badge_opens_on_hover_and_focus_escape_closes_it_and_tab_reaches_what_it_holds(
    provisioned: Scripted, as_role: Any, which: str
) -> None:
    failed = uploaded(provisioned, PLANE, FAILED)
    scope = types_pb2.Scope(tenant="local", module=TRAVEL, data_entry_type=TRAIN, year=2024)
    live = provisioned.run(provisioned.driver.submit("csv_ingest", scope, {"blob": BLOB}))
    number = {"totals": live.pipeline_id, "failure": failed}[which]
    page = as_role("operator").open("/years/2024")
    page.get_by_role("button", name=BADGES["failure"]).wait_for()
    badge = page.get_by_role("button", name=BADGES[which])
    panel = tile_of(page).get_by_text(f"Pipeline {number}")
    # What comes later moves the badge away from under the pointer.
    settled(page)

    badge.hover()
    panel.wait_for()
    panel.hover()
    assert badge.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    assert badge.get_attribute("aria-expanded") == "false"
    page.get_by_role("heading", level=1).hover()

    badge.focus()
    panel.wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate(ACTIVE) == "Copy number"
    page.keyboard.press("Tab")
    assert page.evaluate(ACTIVE) == "Open"
    page.keyboard.press("Escape")
    panel.wait_for(state="hidden")
    # Who was in it is at the badge, which stays closed.
    assert badge.evaluate("(one) => one === document.activeElement")
    assert badge.get_attribute("aria-expanded") == "false"
