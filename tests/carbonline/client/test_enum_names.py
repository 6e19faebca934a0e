"""Scripts can say of files and lists what the command line can, by the same names."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from carbonline import AsyncClient, Client, LoadCheckReport
from carbonline.client.enum_names import module_number, type_number
from carbonline.client.errors import WrongArgument
from carbonline.command.main import main
from carbonline.v1 import types_pb2
from tests.carbonline.client.test_scripts import client, folder
from tests.carbonline.command.test_commands import FACTORS, PLACES, terminal

__all__ = ["client", "folder", "terminal"]

# What says where servers are, what is printed, and whether a person is asked or waits.
OF_PEOPLE = {"scheduler", "ledger", "token_file", "tenant", "tls_ca", "tls_cert", "tls_key"} | {
    "data_folder",
    "as_json",
    "form",
    "file",
    "written",
    "no_watch",
    "check",
    "limit",
}
# How a mapping is said, which is one argument of the clients.
MAPPING = frozenset(
    ["columns", "constants", "values", "decimal", "dates", "header_line", "used", "saved_as"]
)
# By option: the argument of another name, or why there is none.
ELSEWHERE: Mapping[str, str] = {
    "data_entry_type": "type",
    "gone": "include_retired",
    "yes": "take_away",
}
NOT_THERE: Mapping[tuple[str, str], str] = {
    ("submit", "provider"): "submit_from",
    ("load units", "provider"): "load_units_from",
    ("download", "output"): "file",
    ("download", "force"): "a script names the file that it means",
    ("withdraw", "yes"): "nobody is asked",
}
METHODS: Mapping[tuple[str, ...], str] = {
    ("submit",): "submit_file",
    ("load", "units"): "load_units",
    ("load", "factors"): "load_factors",
    ("load", "locations"): "load_locations",
    ("load", "rates"): "load_rates",
    ("load", "rooms"): "load_rooms",
    ("uploads",): "uploads",
    ("uncomputed",): "uncomputed",
    ("results",): "results",
    ("copy",): "copy_upload",
    ("restore",): "restore",
    ("download",): "download",
    ("withdraw",): "withdraw",
    ("run",): "run_job",
}


def command_of(path: tuple[str, ...]) -> click.Command:
    command: click.Command = main
    for word in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), word)
        assert found is not None, path
        command = found
    return command


@pytest.mark.parametrize("of", [Client, AsyncClient])
@pytest.mark.parametrize("path", METHODS, ids=" ".join)
def test_a_script_can_say_what_the_command_line_can(of: Any, path: tuple[str, ...]) -> None:
    method = METHODS[path]
    takes = inspect.signature(getattr(of, method)).parameters.keys()
    options = {
        one.name: ELSEWHERE.get(one.name, one.name)
        for one in command_of(path).params
        if isinstance(one, click.Option) and one.name is not None
    }
    missing = {
        name
        for name, said in options.items()
        if name not in OF_PEOPLE | MAPPING
        and said not in takes
        and (" ".join(path), name) not in NOT_THERE
    }
    assert missing == set(), f"{method} takes {sorted(takes)}"


def test_names_of_modules_and_types_are_those_of_the_command_line() -> None:
    assert int(module_number(None)) == int(type_number(None)) == 0
    assert module_number("professional-travel") == types_pb2.MODULE_PROFESSIONAL_TRAVEL
    assert type_number(" Plane") == types_pb2.DATA_ENTRY_TYPE_PLANE
    with pytest.raises(WrongArgument, match=r"no data-entry type 'plan'. Did you mean plane\?"):
        type_number("plan")
    with pytest.raises(WrongArgument, match=r"no module 'x'. The modules are buildings, "):
        module_number("x")


def test_a_list_of_all_units_flags_the_others(client: Client, folder: Path) -> None:
    units = folder / "some.csv"
    units.write_text("unit_institutional_id,name\nu1,Physics\n")
    assert "stale" not in client.load_units(units, year=2024).message
    report = client.load_units(units, year=2024, are_all=True)
    assert "1 unit not in the list: flagged as stale" in report.message
    units.write_text("unit_institutional_id,name\nu1,Physics\nu2,Law\n")
    client.load_units(units, year=2024, are_all=True)


def test_uploads_and_entries_are_listed_by_what_they_are(client: Client) -> None:
    name = "listed"
    for _ in range(2):
        client.submit_file("trips.csv", "plane", year=2024, source=name, priority=0, take_away=True)
        assert client.uploads(2024, source=name, type="train") == []
    [counts] = client.uploads(2024, source=name, type="plane")
    assert client.withdraw(counts).status == "success"
    [gone] = client.uploads(2024, source=name, module="professional_travel", include_retired=True)
    assert (counts.state, gone.state) == ("counts", "withdrawn")
    with pytest.raises(WrongArgument, match="Did you mean plane"):
        client.uncomputed(2024, type="plan")
    assert client.uncomputed(2024, type="train", outcome="no_factor", upload=counts) == []


OF_PURCHASES = (
    "purchase_category,purchase_institutional_code,currency,ef_kg_co2eq_per_currency\n"
    "services,s2,chf,0.5\nvehicles,v2,chf,0.2\n"
)


def test_factors_of_several_types_are_sent_by_their_module(client: Client, folder: Path) -> None:
    factors = folder / "factors_of_purchases.csv"
    factors.write_text(OF_PURCHASES.replace("2,chf", "1,chf"))
    report = client.load_factors(factors, year=2024, module="purchase")
    assert next(job.job_type for job in report.jobs) == "routed_factor_ingest"
    assert report.status == "success"
    with pytest.raises(WrongArgument, match="mapping is for a file of one type"):
        client.load_factors(factors, year=2024, module="purchase", mapping={"columns": {}, "x": 1})


# The kind, the file, how the load is called otherwise, and some of what would change.
LOADS: list[tuple[str, str, dict[str, Any], dict[str, int]]] = [
    (
        "units",
        "unit_institutional_id,name\nU9,Arts\n",
        {"year": 2024, "are_all": True},
        {"new": 1},
    ),
    ("factors", FACTORS, {"type": "plane", "year": 2024}, {"new": 0, "changed": 0}),
    ("factors", OF_PURCHASES, {"module": "purchase", "year": 2024}, {"new": 2, "removed": 0}),
    ("locations", PLACES + "XXX,,,1.0,1.0\n", {}, {"new": 1, "same": 2}),
    ("rates", "currency,year,units_per_eur\nUSD,2024,1.1\n", {"replace": True}, {"new": 1}),
    ("rooms", "building_name,room_name,surface_m2\nBC,410,25\n", {}, {"new": 1}),
]


def test_each_load_is_checked_and_nothing_is_written(client: Client, folder: Path) -> None:
    for kind, text, said, changes in LOADS:
        file = folder / f"{kind}_to_check.csv"
        file.write_text(text)
        for _ in range(2):
            report = client.check_load(kind, file, **said)
            assert isinstance(report, LoadCheckReport)
            found = {change: report.changes[change] for change in changes}
            assert (found, report.error_cause) == (changes, ""), (kind, report)
            assert list(report.types) == (["services", "vehicles"] if "module" in said else [])
            assert all("type" in one for one in report.findings) or not report.types


def test_what_is_wrong_with_a_file_is_a_finding(client: Client, folder: Path) -> None:
    file = folder / "their_rates.csv"
    file.write_text("Code,year,units_per_eur\nUSD,2024,1.1\nUSD,2023,cheap\n")
    refused = client.check_load("rates", file)
    assert (refused.error_cause, refused.is_good) == ("missing_columns", False)
    report = client.check_load("rates", file, mapping={"columns": {"Code": "currency"}})
    assert (report.rows_accepted, report.rows_rejected) == (1, 1)
    [finding] = report.findings
    assert (finding["finding"], finding["row"], finding["value"]) == ("rejected", 2, "cheap")


@pytest.mark.parametrize("of", [Client, AsyncClient])
def test_a_check_of_a_load_can_say_what_the_load_can(of: Any) -> None:
    takes = inspect.signature(of.check_load).parameters.keys()
    for load in ("units", "factors", "locations", "rates", "rooms"):
        of_load = inspect.signature(getattr(of, f"load_{load}")).parameters.keys()
        assert of_load - takes == (set() if load == "units" else {"take_away"})


async def test_the_client_that_awaits_checks_the_airports_of_the_package(folder: Path) -> None:
    async with AsyncClient.local(folder / "data") as client:
        report = await client.check_load("locations")
    assert report.rows_accepted > 5_000


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        ("unit", {}, "kind is one of units, factors, locations, rates, rooms"),
        ("units", {}, "units needs a year"),
        ("factors", {"year": 2024}, "Give type= or module="),
        ("factors", {"year": 2024, "module": "purchase", "mapping": {"x": 1}}, "of one type"),
        ("rates", {"year": 2024}, "rates takes no year"),
        ("locations", {"file": None, "transport_mode": "train"}, "name a file"),
    ],
)
def test_what_a_load_does_not_take_is_told(
    client: Client, kind: str, said: dict[str, Any], why: str
) -> None:
    with pytest.raises(WrongArgument, match=why):
        client.check_load(kind, **{"file": "no.csv", **said})
