"""The clients for scripts, against a real stack: files in, reports and totals out."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from carbonline import (
    AsyncClient,
    Client,
    NoStack,
    PipelineNotSuccessful,
    PipelineReport,
    ServerError,
    TotalsIncomplete,
    Unreachable,
    WrongArgument,
)
from tests.carbonline.command.terminal import Terminal
from tests.carbonline.command.test_commands import KG_OF_A_TRIP, TRIPS, terminal

__all__ = ["terminal"]

HEADER = TRIPS.splitlines()[0]


@pytest.fixture
def folder(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stack's user, who stands in it; `trips.csv` is there."""
    monkeypatch.chdir(terminal.folder)
    monkeypatch.setenv("CARBONLINE_DATA_FOLDER", str(terminal.folder / "data"))
    terminal.file("trips.csv", TRIPS)
    return terminal.folder


@pytest.fixture
def client(folder: Path) -> Iterator[Client]:
    """A client that finds the stack as a command would."""
    with Client.local() as client:
        yield client


def total_of(client: Client) -> float:
    return float(client.totals(2024)["total_kg"].sum())


def test_a_file_is_sent_and_its_totals_are_a_frame(client: Client) -> None:
    report = client.submit_file("trips.csv", type="plane", year=2024)
    assert (report.status, report.ended, report.has_warnings) == ("success", True, True)
    assert (report.rows_accepted, report.rows_rejected, report.rows_warned) == (3, 1, 0)
    assert [job.job_type for job in report.jobs] == ["csv_ingest", "emission_recalc", "aggregation"]
    assert "1 rejected" in report.message
    totals = client.totals(2024)
    assert totals["unit"].to_list() == ["U1", "U2"]
    assert totals["module"].to_list() == ["professional_travel"] * 2
    assert totals["entries"].to_list() == [2, 1]
    assert totals["entries_without_kg"].to_list() == [0, 0]
    assert totals["total_kg"].to_list() == pytest.approx([3 * KG_OF_A_TRIP, KG_OF_A_TRIP])
    assert totals["ghg_scope_3_kg"].to_list() == totals["total_kg"].to_list()
    assert str(totals.schema["computed_at"]) == "Datetime(time_unit='us', time_zone='UTC')"


async def test_the_client_that_awaits_gives_the_same(folder: Path) -> None:
    async with AsyncClient.local(folder / "data") as client:
        report = await client.submit_file(folder / "trips.csv", "plane", year=2024)
        totals = await client.totals(2024, unit="u2", module="professional_travel")
        jobs = await client.jobs(report.pipeline_id)
    assert report.rows_accepted == 3
    assert totals["total_kg"].to_list() == pytest.approx([KG_OF_A_TRIP])
    assert tuple(jobs) == report.jobs


def test_rejected_rows_say_where_and_why(client: Client) -> None:
    report = client.submit_file("trips.csv", type="plane", year=2024)
    (row,) = report.rejected
    assert (row["rejected_row"], row["number_of_trips"]) == ("4", "0")
    assert row["rejected_reason"] == "number_of_trips: must be at least 1"
    assert client.rejected(report.pipeline_id) == report.rejected
    assert report.warned == []


def test_a_rejected_row_may_be_very_long(client: Client, folder: Path) -> None:
    text = f"{HEADER},note\nU1,GVA,CDG,1,economy,1,\nU1,GVA,CDG,1,economy,0,{'x' * 200_000}\n"
    (folder / "long.csv").write_text(text)
    report = client.submit_file("long.csv", type="plane", year=2024, source="long")
    assert [len(row["note"]) for row in report.rejected] == [200_000]
    (upload,) = [one for one in client.uploads(2024) if one.source == "long"]
    client.withdraw(upload).raise_for_status()


def test_progress_is_told_up_to_the_end(client: Client) -> None:
    seen: list[PipelineReport] = []
    report = client.submit_file("trips.csv", type="plane", year=2024, progress=seen.append)
    assert seen[-1] == report
    assert not seen[0].ended
    assert [one.ended for one in seen].count(True) == 1
    *_, last = client.watch(report.pipeline_id)
    assert last == report


def test_an_interrupted_wait_leaves_the_pipeline_going_on(client: Client) -> None:
    seen: list[PipelineReport] = []
    person = threading.main_thread().ident
    assert person is not None

    def press_ctrl_c(report: PipelineReport) -> None:
        if not seen:
            signal.pthread_kill(person, signal.SIGINT)
        seen.append(report)

    with pytest.raises(KeyboardInterrupt):
        client.submit_file("trips.csv", type="plane", year=2024, progress=press_ctrl_c)
    assert client.wait(seen[0].pipeline_id).status == "success"


def test_an_error_in_progress_is_the_callers(client: Client) -> None:
    def fail(_: PipelineReport) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        client.submit_file("trips.csv", type="plane", year=2024, progress=fail)


def test_a_watch_may_be_left_early(client: Client) -> None:
    report = client.submit_file("trips.csv", type="plane", year=2024)
    for _ in client.watch(report.pipeline_id):
        break
    assert client.wait(report.pipeline_id) == report


def test_a_file_without_a_good_row_is_a_report_and_changes_nothing(
    client: Client, folder: Path
) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    before = total_of(client)
    (folder / "wrong.csv").write_text(f"{HEADER}\nNOBODY,GVA,CDG,1,economy,1\n")
    report = client.submit_file("wrong.csv", type="plane", year=2024)
    assert report.status == "failed"
    with pytest.raises(PipelineNotSuccessful, match="is failed, not successful:\ncsv_ingest: "):
        report.raise_for_status()
    assert total_of(client) == before


def test_two_sources_stand_side_by_side(client: Client, folder: Path) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    before = total_of(client)
    (folder / "agency.csv").write_text(f"{HEADER}\nU2,CDG,GVA,9,economy,1\n")
    client.submit_file("agency.csv", type="plane", year=2024, source="agency_b").raise_for_status()
    assert total_of(client) == pytest.approx(before + KG_OF_A_TRIP)


def test_most_of_an_upload_goes_with_a_word_of_consent_only(client: Client, folder: Path) -> None:
    rows = "".join(f"U1,CDG,GVA,{n},economy,1\n" for n in range(3))
    (folder / "lab.csv").write_text(f"{HEADER}\n{rows}")
    client.submit_file("lab.csv", type="plane", year=2024, source="lab").raise_for_status()
    before = total_of(client)
    (folder / "lab.csv").write_text(f"{HEADER}\nU1,CDG,GVA,0,economy,1\n")
    refused = client.submit_file("lab.csv", type="plane", year=2024, source="lab")
    assert (refused.status, refused.rows_accepted) == ("failed", 0)
    assert "less than half would be left: 1 row (" in refused.message
    assert total_of(client) == before
    client.submit_file(
        "lab.csv", type="plane", year=2024, source="lab", take_away=True
    ).raise_for_status()
    assert total_of(client) == pytest.approx(before - 2 * KG_OF_A_TRIP)


def test_an_upload_is_listed_and_taken_back(client: Client, folder: Path) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    before = total_of(client)
    (folder / "extra.csv").write_text(f"{HEADER}\nU1,CDG,GVA,9,economy,1\n")
    sent = client.submit_file("extra.csv", type="plane", year=2024, source="extra")
    upload = client.uploads(2024)[0]
    assert (upload.file_name, upload.source, upload.unit) == ("extra.csv", "extra", "")
    assert (upload.module, upload.type, upload.year) == ("professional_travel", "plane", 2024)
    assert (upload.entries, upload.entries_without_kg) == (1, 0)
    assert upload.total_kg == pytest.approx(KG_OF_A_TRIP)
    assert upload.pipeline_id == sent.pipeline_id
    client.withdraw(upload).raise_for_status()
    assert total_of(client) == before
    assert upload.upload_id not in [one.upload_id for one in client.uploads(2024)]


def test_an_upload_is_taken_back_by_its_number(client: Client, folder: Path) -> None:
    (folder / "extra.csv").write_text(f"{HEADER}\nU1,CDG,GVA,8,economy,1\n")
    client.submit_file("extra.csv", type="plane", year=2024, source="by_number")
    number = client.uploads(2024)[0].upload_id
    client.withdraw(number).raise_for_status()
    assert number not in [one.upload_id for one in client.uploads(2024)]
    with pytest.raises(PipelineNotSuccessful, match="no longer counts"):
        client.withdraw(number).raise_for_status()


def test_numbers_that_nobody_knows_are_typed_errors(client: Client) -> None:
    for number in (99_999, 0, -1, 2**70):
        with pytest.raises(WrongArgument, match=f"There is no upload {number}"):
            client.withdraw(number)
    for ask in (client.wait, client.jobs, client.rejected, lambda of: list(client.watch(of))):
        with pytest.raises(ServerError) as refused:
            ask(99_999)
        assert refused.value.reason == "PIPELINE_NOT_FOUND"
    for ask_unit in (client.totals, client.report, client.uncomputed):
        with pytest.raises(ServerError) as refused:
            ask_unit(2024, unit="nobody")
        assert refused.value.reason == "UNIT_NOT_FOUND"


def test_a_year_without_totals_is_warned_of_or_an_error(client: Client) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    none = r"There are no totals for 2019; there are totals for 2024\."
    with pytest.warns(TotalsIncomplete, match=none):
        assert client.totals(2019).is_empty()
    with pytest.raises(TotalsIncomplete, match=none):
        client.totals(2019, strict=True)
    with pytest.raises(
        TotalsIncomplete, match=r"no totals for buildings in 2024, nor for any other"
    ):
        client.totals(2024, module="buildings", strict=True)


def test_a_report_has_the_sums_of_the_page_and_says_what_is_missing(client: Client) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    report = client.report(2024)
    assert report.whole is not None
    assert report.whole["total_kg"] == pytest.approx(total_of(client))
    assert [one["unit"] for one in report.units] == ["U1", "U2"]
    assert [one["module"] for one in report.modules] == ["professional_travel"]
    assert report.nodes[0]["path"] == "professional_travel"
    assert [one["year"] for one in report.years] == [2024]
    assert any(one.startswith("No data for 2024: ") for one in report.missing)
    of_unit = client.report(2024, unit="u2", strict=True)
    kg = client.totals(2024, unit="u2")["total_kg"].to_list()
    assert [one["total_kg"] for one in of_unit.units] == pytest.approx(kg)
    with pytest.warns(TotalsIncomplete, match=r"no totals for 2019; there are totals for 2024\."):
        assert client.report(2019).whole is None
    with pytest.raises(TotalsIncomplete, match="no totals for 2019"):
        client.report(2019, strict=True)


def test_places_in_use_go_with_a_word_of_consent_only(client: Client, folder: Path) -> None:
    client.submit_file("trips.csv", type="plane", year=2024)
    (folder / "one.csv").write_text(
        "iata,name,country,latitude,longitude\nXYZ,Elsewhere,FR,45.0,3.0\n"
    )
    client.load_locations("one.csv").raise_for_status()
    refused = client.load_locations("one.csv", replace=True)
    assert refused.status == "failed"
    assert "use" in refused.message
    with pytest.raises(WrongArgument, match="take_away needs replace=True"):
        client.load_locations("one.csv", take_away=True)
    client.totals(2024, strict=True)


def test_entries_without_kilograms_are_warned_of_or_an_error(client: Client, folder: Path) -> None:
    (folder / "lost.csv").write_text(f"{HEADER}\nU1,GVA,CDG,1,economy,1\nU1,GVA,QQQ,1,economy,1\n")
    client.submit_file("lost.csv", type="plane", year=2024, unit="U1", source="lost")
    with pytest.warns(TotalsIncomplete, match="1 entry has no kilograms") as told:
        totals = client.totals(2024)
    assert told[0].filename == __file__
    assert totals["entries_without_kg"].sum() == 1
    with pytest.raises(TotalsIncomplete, match="1 entry has no kilograms"):
        client.totals(2024, strict=True)
    (entry,) = client.uncomputed(2024)
    assert (entry["row"], entry["outcome"]) == (2, "unknown_place")
    assert "QQQ" in str(entry["reason"])
    assert client.uncomputed(2024, unit="U2") == []
    (folder / "lost.csv").write_text(f"{HEADER}\nU1,GVA,CDG,1,economy,1\n")
    client.submit_file("lost.csv", type="plane", year=2024, unit="U1", source="lost")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        client.totals(2024, strict=True)


def test_a_wrong_type_is_answered_with_what_was_meant(client: Client) -> None:
    with pytest.raises(WrongArgument, match=r"'plain'.* Did you mean plane"):
        client.submit_file("trips.csv", type="plain", year=2024)
    with pytest.raises(WrongArgument, match="in the module buildings"):
        client.submit_file("trips.csv", type="plane", module="buildings", year=2024)
    with pytest.raises(WrongArgument, match=r"no module 'travel'\. The modules are buildings, "):
        client.totals(2024, module="travel")
    assert "plane" in client.computed_types()


def test_a_file_that_is_too_large_is_not_sent(client: Client, folder: Path) -> None:
    with (folder / "huge.csv").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(WrongArgument, match=r"1,099,511,627,776 bytes; the ledger accepts at most"):
        client.submit_file("huge.csv", type="plane", year=2024)


def test_a_refusal_carries_its_reason(client: Client) -> None:
    with pytest.raises(ServerError) as refused:
        client.submit_file("trips.csv", type="plane", year=1999)
    assert refused.value.reason == "YEAR_NOT_PROVISIONED"
    with pytest.raises(FileNotFoundError, match=r"absent\.csv"):
        client.submit_file("absent.csv", type="plane", year=2024)


def test_nobody_there_is_told_apart_from_a_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATA_FOLDER", "SCHEDULER_ADDRESS", "LEDGER_ADDRESS", "TOKEN_FILE", "TENANT"):
        monkeypatch.delenv(f"CARBONLINE_{name}", raising=False)
    with pytest.raises(NoStack, match="No stack runs on the folder"):
        Client.local(tmp_path)
    monkeypatch.setenv("CARBONLINE_SCHEDULER_ADDRESS", f"unix:{tmp_path}/nobody")
    with Client.local() as client, pytest.raises(Unreachable):
        client.totals(2024)


def test_addresses_of_the_environment_are_taken(
    client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = json.loads((folder / "data" / "stack.json").read_text())
    monkeypatch.setenv("CARBONLINE_DATA_FOLDER", "elsewhere")
    monkeypatch.setenv("CARBONLINE_SCHEDULER_ADDRESS", stack["scheduler_address"])
    monkeypatch.setenv("CARBONLINE_LEDGER_ADDRESS", stack["ledger_address"])
    client.submit_file("trips.csv", type="plane", year=2024)
    with Client.local() as other:
        assert other.totals(2024).equals(client.totals(2024))


async def test_it_works_where_an_event_loop_runs_already(folder: Path) -> None:
    assert asyncio.get_running_loop().is_running()
    with Client.local() as client:
        client.submit_file("trips.csv", type="plane", year=2024)
        assert client.totals(2024).height == 2


def test_a_closed_client_leaves_no_thread_and_may_be_closed_again(folder: Path) -> None:
    client = Client.local()
    client.computed_types()
    client.close()
    client.close()
    assert not client._thread.is_alive()


def test_a_token_that_cannot_be_read_leaves_no_thread(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client("unix:a", "unix:b", token_file=tmp_path / "absent")


def test_the_package_alone_loads_nothing_until_it_is_asked() -> None:
    script = "import carbonline, sys; assert 'grpc' not in sys.modules; carbonline.Client"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_rejected_rows_of_a_file_with_semicolons_are_read_with_them(
    client: Client, folder: Path
) -> None:
    text = (folder / "trips.csv").read_text().replace(",", ";")
    (folder / "semicolons.csv").write_text(text.replace(";0\n", ";0;;surplus\n"))
    report = client.submit_file(folder / "semicolons.csv", type="plane", year=2024)
    (row,) = report.rejected
    assert (row["rejected_row"], row["number_of_trips"]) == ("4", "0")


def test_a_file_of_several_types_is_sent_by_its_module(client: Client, folder: Path) -> None:
    codes = folder / "codes.csv"
    codes.write_text("purchase_institutional_code,currency,ef_kg_co2eq_per_currency\ns1,chf,0.5\n")
    bought = folder / "bought.csv"
    columns = "name,total_spent_amount,purchase_institutional_code,purchase_category"
    rows = "U1,A,100,s1,services\nU1,B,10,s1,services\nU2,C,1,s1,food\n"
    bought.write_text(f"unit_institutional_id,{columns}\n{rows}")
    client.load_factors(codes, type="services", year=2024)
    report = client.submit_file(bought, year=2024, module="purchase")
    assert (report.rows_accepted, report.rows_rejected) == (2, 1)
    assert [job.job_type for job in report.jobs][:2] == ["routed_ingest", "csv_ingest"]
    said = {"columns": {"Betrag": "total_spent_amount"}}
    with pytest.raises(WrongArgument, match="divide it by type and give type= for each part"):
        client.submit_file(bought, year=2024, module="purchase", mapping=said)
    with pytest.raises(WrongArgument, match=r"types of rows apart: equipment, purchase\."):
        client.submit_file(bought, year=2024, module="headcount")
