"""A manifest says which file is what; its mistakes are sentences, all at once."""

from pathlib import Path

import click
import pytest

from carbonline.command.names import type_numbers
from carbonline.command.seed_manifest import MISTAKES_MAX, Seed, marked, read_manifest

UNITS = '[[units]]\nfile = "units.csv"\nyears = [2023, 2024]\n'
FLIGHTS = '[[activity]]\ntype = "plane"\nyears = 2024\nfile = "trips.csv"\n'


def read(folder: Path, manifest: str) -> Seed:
    for name in ("units.csv", "trips.csv"):
        (folder / name).write_text("a\n")
    if not (circle := folder / "circle").is_symlink():
        circle.symlink_to(circle)
    (folder / "seed.toml").write_text(manifest, "utf-8")
    return read_manifest(folder)


def mistakes(folder: Path, manifest: str) -> list[str]:
    with pytest.raises(click.UsageError) as raised:
        read(folder, manifest)
    _, *found = raised.value.message.splitlines()
    return [one.strip() for one in found]


def test_files_are_loaded_in_the_order_in_which_they_need_each_other(tmp_path: Path) -> None:
    factors = '[[factors]]\ntype = "plane"\nyears = 2023\nfile = "trips.csv"\n'
    places = '[[rates]]\nfile = "trips.csv"\n[[locations]]\ntransport_mode = "plane"\n'
    seed = read(tmp_path, FLIGHTS + factors + places + UNITS)
    assert [[one.title for one in part] for part in seed.parts] == [
        ["units 2023", "units 2024"],
        ["locations plane"],
        ["rates"],
        ["factors plane 2023"],
        ["activity plane 2024"],
    ]
    assert seed.years == [2023, 2024]
    [[airports], [rates], [of_type], [trips]] = seed.parts[1:]
    assert rates.job.reference_kind == "rates"
    assert airports.job.file is None
    assert of_type.job.job_type == "factor_ingest"
    assert trips.job.file == (tmp_path / "trips.csv").resolve()
    assert trips.job.data_entry_type == type_numbers()["plane"]
    assert marked(trips.job).extra == {"is_seed_run": "yes"}


def test_a_file_of_another_program_has_its_mapping(tmp_path: Path) -> None:
    mapping = '{ columns = { Von = "origin_iata" }, decimal = "comma" }'
    [_, [trips]] = read(tmp_path, UNITS + FLIGHTS + f"mapping = {mapping}\n").parts
    said = {"columns": {"Von": "origin_iata"}, "decimal": "comma"}
    assert trips.job.extra == {"mapping": said}
    of_others = (
        '[[locations]]\ntransport_mode = "train"\nfile = "trips.csv"\n',
        '[[rates]]\nfile = "trips.csv"\n',
        '[[rooms]]\nfile = "trips.csv"\n',
        '[[factors]]\ntype = "plane"\nyears = [2024]\nfile = "trips.csv"\n',
    )
    more = f'sheet = "Trips"\nmapping = {mapping}\n'
    tables = "".join(table + more for table in (UNITS, FLIGHTS, *of_others))
    seeded = [file for part in read(tmp_path, tables).parts for file in part]
    assert [file.job.extra["mapping"] for file in seeded] == [said] * len(seeded)
    assert {file.job.extra["sheet"] for file in seeded} == {"Trips"}
    shipped = UNITS + f'[[locations]]\ntransport_mode = "plane"\nmapping = {mapping}\n'
    assert mistakes(tmp_path, shipped) == [
        "[[locations]] 1: sheet and mapping are for a file: name it."
    ]
    assert mistakes(tmp_path, UNITS + FLIGHTS + 'mapping = "agency"\n') == [
        '[[activity]] 1: mapping must be a table, such as { decimal = "comma" }.'
    ]


def test_a_file_of_each_year_may_be_named_once(tmp_path: Path) -> None:
    (tmp_path / "trips_2023.csv").write_text("a\n")
    several = FLIGHTS.replace("2024", "[2023, 2024]").replace("trips", "trips_{year}")
    assert mistakes(tmp_path, UNITS + several) == [
        "[[activity]] 1: there is no file trips_2024.csv in the folder."
    ]
    (tmp_path / "trips_2024.csv").write_text("a\n")
    [_, trips] = read(tmp_path, UNITS + several).parts
    assert [one.title for one in trips] == ["activity plane 2023", "activity plane 2024"]
    assert [one.job.file.name for one in trips if one.job.file] == [
        "trips_2023.csv",
        "trips_2024.csv",
    ]


def test_units_sources_and_sheets_go_with_the_job(tmp_path: Path) -> None:
    more = 'unit = "0828"\nsource = "agency"\nsheet = "Trips"\n'
    [_, [trips]] = read(tmp_path, UNITS + FLIGHTS + more).parts
    assert trips.title == "activity plane 2024 (0828 agency)"
    assert (trips.job.unit, trips.job.extra) == ("0828", {"source": "agency", "sheet": "Trips"})


@pytest.mark.parametrize(
    ("manifest", "sentences"),
    [
        ("", ["It names no file."]),
        ("[[unit]]\n", ["unit is not known: did you mean units?"]),
        ('units = "units.csv"\n', ["units is not a list of tables: write [[units]]."]),
        (
            '[[units]]\nfile = "unit.csv"\nyear = [2024]\n',
            [
                "[[units]] 1: year is not known: did you mean years?",
                "[[units]] 1: there is no file unit.csv in the folder.",
                "[[units]] 1: years is missing.",
            ],
        ),
        (
            UNITS.replace("[2023, 2024]", '"2024"'),
            ["[[units]] 1: years must be from 1990 to 2100, without quotes."],
        ),
        (UNITS.replace('"units.csv"', "7"), ["[[units]] 1: file must be a text."]),
        (
            UNITS + FLIGHTS.replace("2024", "2025").replace("plane", "plain"),
            [
                "[[activity]] 1: type plain is not known: did you mean plane or train?",
                "[[activity]] 1: no [[units]] have the year 2025.",
            ],
        ),
        (
            UNITS + FLIGHTS.replace("trips.csv", "../trips.csv"),
            ["[[activity]] 1: there is no file ../trips.csv in the folder."],
        ),
        (
            UNITS.replace("units.csv", r"a\u0000b"),
            [r"[[units]] 1: there is no file a\x00b in the folder."],
        ),
        (
            UNITS.replace("units.csv", "n" * 300),
            [f"[[units]] 1: there is no file {'n' * 300} in the folder."],
        ),
        (
            UNITS.replace("units.csv", "circle"),
            ["[[units]] 1: there is no file circle in the folder."],
        ),
        (
            UNITS + FLIGHTS + FLIGHTS + 'source = "Default"\n',
            ["[[activity]] 2: it would replace [[activity]] 1: give one of them another source."],
        ),
        (
            '[[locations]]\ntransport_mode = "train"\n',
            ["[[locations]] 1: file is missing."],
        ),
        (
            '[[locations]]\ntransport_mode = "boat"\nfile = "units.csv"\n',
            ["[[locations]] 1: transport_mode boat is not one of plane, train."],
        ),
    ],
)
def test_each_mistake_is_a_sentence(tmp_path: Path, manifest: str, sentences: list[str]) -> None:
    assert sorted(mistakes(tmp_path, manifest)) == sorted(sentences)


def test_tables_that_are_the_same_for_the_ledger_are_told(tmp_path: Path) -> None:
    factors = FLIGHTS.replace("activity", "factors")
    places = '[[locations]]\ntransport_mode = "plane"\n'
    rows = '[[rates]]\nfile = "trips.csv"\n[[rooms]]\nfile = "trips.csv"\n'
    once = UNITS + factors + places + rows + FLIGHTS + 'source = "École ß"\n'
    read(tmp_path, once)
    # Of several files, or sheets, each row is loaded.
    read(tmp_path, once + UNITS + 'sheet = "EPFL"\n' + places + 'file = "units.csv"\n')
    more = UNITS + factors + places + rows + FLIGHTS + 'source = " e\u0301COLE ss"\n'
    same = "it loads the same file as [[{0}]] 1: leave one of them out."
    assert sorted(mistakes(tmp_path, once + more)) == [
        "[[activity]] 2: it would replace [[activity]] 1: give one of them another source.",
        "[[factors]] 2: it would replace [[factors]] 1: put their rows into one file.",
        *(
            f"[[{name}]] 2: {same.format(name)}"
            for name in ("locations", "rates", "rooms", "units")
        ),
    ]
    assert mistakes(tmp_path, UNITS.replace("2023", "2024")) == [
        "[[units]] 1: years has 2024 twice."
    ]


def test_many_mistakes_are_cut(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "[[factors]]\n" * 30)
    assert len(found) == MISTAKES_MAX + 1
    assert found[-1] == "and 40 more"


def test_a_folder_without_a_manifest_and_one_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"has no seed.toml, which says which file is what"):
        read_manifest(tmp_path)
    with pytest.raises(click.UsageError, match="is not TOML: "):
        read(tmp_path, "[[units]")
