"""A package that adds a provider and a job type: installed beside a stack, run, and broken."""

import json
import math
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from carbonline import Client, ServerError
from tests.carbonline.command.terminal import Terminal, Typed

EXAMPLE = Path("examples/own_job_types").resolve()
UNITS = "unit_institutional_id,name\n0828,Physics\n"
FACTORS = "vehicle_class,ef_kg_co2eq_per_km\nbus,0.1\nvan,0.2\ncar,0.3\n"
KG = 100 * 0.1 + 200 * 0.2 + 300 * 0.3
OF_2040 = ("--year", "2040")
# Each takes some half a second.
TRIES = 40
KEPT = "3 log books of north are well kept."
# A second type beside that of the example, whose jobs run until they are told to stop.
HOLD = """
import asyncio

async def hold(run):
    run.progress(1, 3, "hold", "page one")
    while True:
        run.check()
        await asyncio.sleep(0.02)
"""
HOLD_TYPE = """
[[job_type]]
name = "hold"
needs = ["year"]
needs_provisioned_year = true
one_at_a_time = ["year"]
children = ["fleet_check"]
"""
BROKEN: Mapping[str, Mapping[str, str]] = {
    "carbonline.providers": {"no-module": "no_such_module:made", "wrong-name": "campus:fleet"},
    "carbonline.job_types": {"undeclared": "campus:check_fleet", "hold": "hold:hold"},
}


def installed(folder: Path) -> None:
    """The example as a package of a path, with further entry points; all but one are broken."""
    groups = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]
    (folder / "campus.py").write_text((EXAMPLE / "campus.py").read_text())
    (folder / "hold.py").write_text(HOLD)
    about = folder / "campus-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: campus\nVersion: 1.0\n")
    lines = []
    for group, points in groups.items():
        lines += [f"[{group}]", *(f"{n} = {to}" for n, to in (points | BROKEN[group]).items())]
    (about / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack with the package and its job type; units and factors of 2040."""
    folder = tmp_path_factory.mktemp("own")
    installed(folder)
    terminal = Terminal(folder)
    types = terminal.file("types.toml", (EXAMPLE / "job_types.toml").read_text() + HOLD_TYPE)
    terminal.environment |= {
        "PYTHONPATH": str(folder),
        "CAMPUS_UNIT": "0828",
        "CARBONLINE_JOB_TYPES_FILE": str(types),
    }
    with terminal.stack():
        for words in (
            ("load", "units", terminal.file("units.csv", UNITS), *OF_2040),
            ("load", "factors", terminal.file("f.csv", FACTORS), "--type", "road_travel", *OF_2040),
        ):
            loaded = terminal.type(*words)
            assert loaded.code == 0, loaded
        yield terminal


def checked(terminal: Terminal, depot: str, *more: str) -> Typed:
    """A fleet_check, to its end."""
    return terminal.type("run", "fleet_check", *OF_2040, "--with", f"depot={depot}", *more)


def jobs_of(terminal: Terminal, typed: Typed) -> list[dict[str, Any]]:
    """The jobs of the pipeline that the command has run, as `carbonline job` shows them."""
    number = typed.out.split("Pipeline ")[1].split()[0]
    rows = json.loads(terminal.type("jobs", number, "--json").out)["rows"]
    numbers = sorted(row["job"] for row in rows)
    return [json.loads(terminal.type("job", str(one), "--json").out) for one in numbers]


def kg(terminal: Terminal) -> float:
    told = terminal.type("totals", *OF_2040, "--json")
    return math.fsum(float(row["total_kg"]) for row in json.loads(told.out)["rows"])


def test_rows_of_the_provider_arrive_as_totals(terminal: Terminal) -> None:
    words = ("submit", "--from", "campus-fleet", "--type", "road_travel", *OF_2040)
    sent = terminal.type(*words)
    assert sent.code == 0, sent
    assert kg(terminal) == pytest.approx(KG)


def test_a_job_of_the_type_runs_reports_and_chains(terminal: Terminal) -> None:
    ran = checked(terminal, "north", "--with", "then=fetch")
    assert (ran.code, KEPT in ran.out + ran.err) == (0, True), ran
    own, child, *_ = jobs_of(terminal, ran)
    assert (own["job_type"], child["job_type"]) == ("fleet_check", "api_ingest")
    assert (own["stats"], own["result"]) == ({"books": 3}, "success")
    assert kg(terminal) == pytest.approx(KG)


def test_a_script_runs_the_type_and_hears_how_it_ended(terminal: Terminal) -> None:
    with Client.local(terminal.folder / "data") as client:
        report = client.run_job("fleet_check", {"depot": "north"}, year=2040)
        assert (report.status, report.message) == ("success", "fleet_check: " + KEPT)
        failed = client.run_job("fleet_check", {"depot": "closed"}, year=2040, priority=0)
        assert (failed.status, client.jobs(failed.pipeline_id)[0].result) == ("failed", "error")
        with pytest.raises(ServerError) as refused:
            client.run_job("fleet_check", {"depot": "n", "x": "y"}, type="plane", year=2040)
        assert refused.value.fields.keys() >= {"payload.x", "scope.data_entry_type"}


def test_a_schedule_takes_the_type_with_its_payload(terminal: Terminal) -> None:
    add = ("schedule", "add", "depot", "0 4 * * *", "--run", "fleet_check", *OF_2040)
    added = terminal.type(*add, "--with", "depot=north")
    assert "Schedule depot: fleet_check at 0 4 * * * (UTC)." in added.out, added
    refused = terminal.type(*add)
    assert "payload.depot: is required" in " ".join(refused.err.split()), refused
    [row] = json.loads(terminal.type("schedule", "list", "--json").out)["rows"]
    assert (row["job_type"], row["provider"]) == ("fleet_check", None)
    assert terminal.type("schedule", "remove", "depot").code == 0


def test_a_handler_that_raises_is_an_error_of_its_own(terminal: Terminal) -> None:
    failed = checked(terminal, "burnt")
    [job] = jobs_of(terminal, failed)
    assert (failed.code != 0, job["error_cause"]) == (True, "attempts_spent")
    assert "the log books of this depot are gone" in job["message"]
    [closed] = jobs_of(terminal, checked(terminal, "closed"))
    assert closed["error_cause"] == "depot_closed"
    assert checked(terminal, "north").code == 0


def test_a_run_tells_its_progress_and_hears_that_it_is_cancelled(terminal: Terminal) -> None:
    sent = terminal.type("run", "hold", *OF_2040, "--no-watch")
    assert sent.code == 0, sent
    number = sent.out.strip()
    [job] = json.loads(terminal.type("jobs", number, "--json").out)["rows"]
    shown = ""
    for _ in range(TRIES):
        shown = terminal.type("job", str(job["job"])).out
        if "hold 1 of 3 page one" in shown:
            break
    else:
        pytest.fail(f"no progress was told: {shown}")
    assert terminal.type("cancel", number).code == 0
    with Client.local(terminal.folder / "data") as client:
        assert client.jobs(int(number))[0].result == "cancelled"
    assert checked(terminal, "north").code == 0


def test_a_broken_entry_point_is_named_at_the_start_and_stops_only_itself(
    terminal: Terminal,
) -> None:
    lines = [
        json.loads(line)
        for log in sorted((terminal.folder / "data").rglob("worker-1*"))
        if log.is_file()
        for line in log.read_text().rpartition("\n")[0].splitlines()
        if '"extension_broken"' in line
    ]
    told = {line["entry_point"].split(" = ")[0]: line["reason"] for line in lines}
    assert told == {
        "carbonline.providers: no-module": "ModuleNotFoundError: No module named 'no_such_module'",
        "carbonline.providers: wrong-name": "makes a provider that is called 'campus-fleet'",
        "carbonline.job_types: undeclared": "is of a job type that CARBONLINE_JOB_TYPES_FILE does"
        " not declare",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "payload.depot: is required: the depot whose log books"),
        (("--with", "depot=n", "--with", "x=y"), "payload.x: is unknown: fleet_check takes depot"),
        (("--with", "depot=n", "--with", "then=go"), "payload.then: must be"),
        (("--with", "depot=n", "--unit", "0828"), "scope.unit: must be left out"),
        (("--with", "depot"), "write KEY=VALUE"),
    ],
)
def test_what_is_not_declared_is_refused(
    terminal: Terminal, words: tuple[str, ...], said: str
) -> None:
    typed = terminal.type("run", "fleet_check", *OF_2040, *words)
    assert (typed.code != 0, said in " ".join(typed.err.split())) == (True, True), typed


def test_the_type_is_listed_like_the_products_own(terminal: Terminal) -> None:
    rows = json.loads(terminal.type("job-types", "--json").out)["rows"]
    [own] = [row for row in rows if row["job_type"] == "fleet_check"]
    assert (own["payload_keys"], own["child_types"]) == (["depot*", "then"], ["api_ingest"])
    assert own["stats"] == {"books": "how many log books were looked at"}


def test_a_worker_with_another_file_is_refused_with_a_sentence(terminal: Terminal) -> None:
    text = (EXAMPLE / "job_types.toml").read_text().replace("attempts_max = 3", "attempts_max = 4")
    other = terminal.file("other.toml", text)
    [socket] = (terminal.folder / "data").rglob("scheduler.sock")
    environment = {
        **terminal.environment,
        "CARBONLINE_JOB_TYPES_FILE": str(other),
        "CARBONLINE_JOB_TYPES": "noop",
        "CARBONLINE_SCHEDULER_ADDRESS": f"unix:{socket}",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "worker_service"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode != 0
    assert "was started with another file of job types" in ended.stderr
