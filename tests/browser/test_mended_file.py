"""Rejected rows are mended and uploaded again: in the place of the file that they are of."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.browser.conftest import Tabs
from tests.browser.settling import settled
from tests.browser.test_upload_check import HEADER, YEAR, checked_year, trips, written

__all__ = ["checked_year"]

MENDED = "Upload the mended file"
YEAR_OF_ROWS = {"year": 2024, "module": "MODULE_PURCHASE"}
SCOPE = {**YEAR_OF_ROWS, "data_entry_type": "DATA_ENTRY_TYPE_SERVICES", "unit": "0828"}
ROWS = "reason\nit must be a number\n"


def test_a_mended_file_takes_the_place_of_the_one_whose_rows_were_rejected(
    tabs: Tabs, checked_year: Path
) -> None:
    wrong = written(checked_year, "all_wrong.csv", [HEADER, "0828,GVA,CDG,a1,hammock"])
    place: dict[str, Any] = {"year": YEAR, "unit": "0828", "source": "mended"}
    with tabs.site.client() as client:
        client.submit_file(trips(checked_year, 2), "plane", **place)
        # Without a good row there is no upload that could tell the source.
        sent = client.submit_file(wrong, "plane", **place)
    page = tabs.open(f"/rejected/{sent.pipeline_id}")
    page.get_by_role("link", name=MENDED).press("Enter")
    page.get_by_label("File").set_input_files(trips(checked_year, 3))
    assert page.get_by_label("Only this unit").input_value() == "0828"
    assert page.get_by_label("Source").input_value() == "mended"
    page.get_by_role("button", name="Upload and compute").click()
    page.get_by_role("heading", level=1).get_by_text("Done").wait_for()
    with tabs.site.client() as client:
        (upload,) = client.uploads(YEAR, source="mended")
    assert (upload.unit, upload.entries) == ("0828", 3)


def test_what_is_typed_stays_whatever_the_address_names(tabs: Tabs) -> None:
    page = tabs.open(f"/upload?year={YEAR}&unit=0828&source=mended")
    page.get_by_label("Source").fill("another")
    page.get_by_label("Only this unit").fill("")
    page.get_by_label("Data-entry type").select_option("DATA_ENTRY_TYPE_TRAIN")
    page.wait_for_url("**type=DATA_ENTRY_TYPE_TRAIN**")
    page.get_by_text("Columns of Train").wait_for()
    assert page.get_by_label("Source").input_value() == "another"
    assert page.get_by_label("Only this unit").input_value() == ""


# What a pipeline reads, its scope and what it was sent with; and what the form is opened with.
OPENED: tuple[tuple[Any, Any], ...] = (
    (
        ("csv_ingest", SCOPE, {"source": "agency"}),
        {"kind": "entries", "type": "DATA_ENTRY_TYPE_SERVICES", "unit": "0828", "source": "agency"},
    ),
    (
        ("api_ingest", SCOPE, {"provider": "rail"}),
        {"kind": "entries", "type": "DATA_ENTRY_TYPE_SERVICES", "unit": "0828", "source": "rail"},
    ),
    (
        ("routed_ingest", YEAR_OF_ROWS, {"source": "agency"}),
        {"kind": "entries", "type": "MODULE_PURCHASE", "source": "agency"},
    ),
    (
        ("factor_ingest", {**SCOPE, "unit": ""}, {}),
        {"kind": "factors", "type": "DATA_ENTRY_TYPE_SERVICES"},
    ),
    (("routed_factor_ingest", YEAR_OF_ROWS, {}), None),
    (("reference_ingest", {"reference_kind": "rates"}, {}), None),
)


def test_the_form_for_a_mended_file_is_opened_for_what_was_read(tabs: Tabs) -> None:
    def answer(route: Any) -> None:
        what, number = urlsplit(route.request.url).path.split("/")[-2:]
        kind, scope, payload = OPENED[int(number)][0]
        job = {"job_id": number, "job_type": kind, "stats": {"rejected_blob": "blob:x"}}
        pipeline = {"pipeline_id": number, "root_job_id": number, "kind": kind, "scope": scope}
        whole = {"pipeline": pipeline, "jobs": [job]}
        route.fulfill(json=whole if what == "pipelines" else {**job, "payload": payload})

    tabs.context.route(re.compile(r"/v1/(pipelines|jobs)/\d+$"), answer)
    tabs.context.route("**/v1/blobs/**", lambda route: route.fulfill(body=ROWS))
    page = tabs.open("/login")
    for number, (read, opened) in enumerate(OPENED):
        page.goto(f"{tabs.site.url}/rejected/{number}")
        page.get_by_role("link", name="All rejected rows").wait_for()
        settled(page)
        links = page.get_by_role("link", name=MENDED).all()
        assert [query_of(one) for one in links] == ([opened] if opened else []), read


def query_of(link: Any) -> dict[str, str]:
    """What an upload's form is opened with, apart from the year and the module."""
    query = parse_qs(urlsplit(link.get_attribute("href")).query)
    return {name: value for name, [value] in query.items() if name not in ("year", "module")}
