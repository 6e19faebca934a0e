"""Lists that are longer than one page of their call: the console reads on, or says it stops."""

from typing import Any

from carbonline.v1 import types_pb2
from tests.browser.scripted_stack import Scripted
from tests.scheduler_service.rpc.test_many_workers import OTHERS, start_workers
from tests.scheduler_service.rpc.test_timelines import MORE_EVENTS

SCOPE = types_pb2.Scope()


def test_workers_beyond_the_first_page_are_listed(scripted: Scripted, as_role: Any) -> None:
    scripted.run(start_workers(scripted.driver, OTHERS))
    page = as_role("operator").open("/health")
    rows = page.get_by_role("region", name="Workers").locator("tbody tr")
    rows.nth(OTHERS - 1).wait_for()
    assert rows.count() == OTHERS


def test_a_long_timeline_says_what_it_leaves_out(scripted: Scripted, as_role: Any) -> None:
    submitted = scripted.run(scripted.driver.submit("noop", SCOPE))
    scripted.run(scripted.driver.server.store.pool.execute(MORE_EVENTS))
    page = as_role("operator").open(f"/pipelines/{submitted.pipeline_id}")
    page.get_by_text("Timeline").click()
    page.get_by_text("Later events that are left out: 1.").wait_for()
