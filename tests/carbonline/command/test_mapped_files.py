"""Files of other programs, through the command line, to totals."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import xlsxwriter

from carbonline import Client
from tests.carbonline.command.terminal import Terminal, Typed
from tests.carbonline.command.test_commands import PLACES

UNITS = "unit_institutional_id,name\n0828,Physics\n0829,Law\n"
FACTORS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,economy,0.2,1,0,\nall,business,0.4,1,0,\n"
)
OURS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "departure_date,number_of_trips,distance_km\n"
    "0828,GVA,CDG,a1,economy,2040-03-31,1,\n"
    "0829,CDG,GVA,a2,business,2040-04-01,2,1234.5\n"
)
THEIRS = (
    "Kostenstelle;Von;Nach;Person;Klasse;Tag;Anzahl;Kilometer\n"
    "0828;GVA;CDG;a1;Eco Flex;31.03.2040;1;\n"
    "0829;CDG;GVA;a2;Business;1.4.2040;2;1.234,5\n"
)
COLUMNS = {
    "Kostenstelle": "unit_institutional_id",
    "Von": "origin_iata",
    "Nach": "destination_iata",
    "Person": "user_institutional_id",
    "Klasse": "cabin_class",
    "Tag": "departure_date",
    "Anzahl": "number_of_trips",
    "Kilometer": "distance_km",
}
MAPPING = {
    "columns": COLUMNS,
    "values": {"cabin_class": {"Eco Flex": "economy"}},
    "decimal": "comma",
    "dates": "dd.mm.yyyy",
}
WORDS = (
    *(word for name, column in COLUMNS.items() for word in ("--map", f"{name}={column}")),
    *("--value", "cabin_class:Eco Flex=economy", "--decimal", "comma", "--dates", "dd.mm.yyyy"),
)
OF_2040 = ("--type", "plane", "--year", "2040")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal beside a stack that has units, places and factors of 2040."""
    terminal = Terminal(tmp_path_factory.mktemp("mapped"))
    with terminal.stack():
        terminal.load_for_planes(2040, units=UNITS, places=PLACES, factors=FACTORS)
        yield terminal


@pytest.fixture
def theirs(terminal: Terminal) -> Path:
    """The file of another program; nothing counts yet."""
    for upload in uploads(terminal):
        assert terminal.type("withdraw", str(upload["upload"]), "--yes").code == 0
    return terminal.file("theirs.csv", THEIRS)


def uploads(terminal: Terminal) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(
        terminal.type("uploads", "--year", "2040", "--json").out
    )["rows"]
    return rows


def results(terminal: Terminal, typed: Typed) -> list[dict[str, object]]:
    """Each row of the pipeline's upload, as computed, without what is of the upload itself."""
    number = typed.out.split("Pipeline ")[1].split()[0]
    listed = terminal.type("results", number, "--json")
    assert listed.code == 0, listed
    rows: list[dict[str, object]] = json.loads(listed.out)["rows"]
    of_upload = ("upload", "pipeline", "file", "computed_at", "state")
    return [{k: v for k, v in row.items() if k not in of_upload} for row in rows]


def test_a_file_of_another_program_gives_the_results_of_ones_own(
    terminal: Terminal, theirs: Path
) -> None:
    mine = terminal.type("submit", terminal.file("ours.csv", OURS), *OF_2040)
    assert mine.code == 0, mine
    expected = results(terminal, mine)
    mapped = terminal.type("submit", theirs, *OF_2040, *WORDS)
    assert mapped.code == 0, mapped
    assert "The same 2 rows were already loaded by pipeline" in " ".join(mapped.err.split()), mapped
    [upload] = uploads(terminal)
    assert (upload["file_name"], upload["mapping"]) == ("ours.csv", None)
    assert terminal.type("withdraw", str(upload["upload"]), "--yes").code == 0
    mapped = terminal.type("submit", theirs, *OF_2040, *WORDS)
    assert results(terminal, mapped) == expected


def test_the_mapping_stands_with_the_upload_and_with_the_job(
    terminal: Terminal, theirs: Path
) -> None:
    typed = terminal.type("submit", theirs, *OF_2040, *WORDS)
    assert typed.code == 0, typed
    [upload] = uploads(terminal)
    assert "Von → origin_iata" in str(upload["mapping"])
    assert "decimal comma, dates dd.mm.yyyy" in str(upload["mapping"])
    number = typed.out.split("Pipeline ")[1].split()[0]
    jobs = json.loads(terminal.type("jobs", number, "--json").out)["rows"]
    [ingest] = [job["job"] for job in jobs if job["job_type"] == "csv_ingest"]
    shown = json.loads(terminal.type("job", str(ingest), "--json").out)
    assert shown["payload"]["mapping"] == MAPPING


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "Von=origin_iat"), "did you mean origin_iata?"),
        (("--map", "Vonn=origin_iata"), "that the file does not have: Vonn (did you mean von?)"),
        (("--map", "Von=note", "--map", "Nach=note"), "reads two columns as note: Nach and Von"),
        (("--set", "cabin_class=hammock"), "sets cabin_class to hammock"),
    ],
)
def test_a_bad_mapping_fails_the_job_and_what_counted_counts(
    terminal: Terminal, theirs: Path, words: tuple[str, ...], said: str
) -> None:
    assert terminal.type("submit", theirs, *OF_2040, *WORDS).code == 0
    before = uploads(terminal)
    typed = terminal.type("submit", theirs, *OF_2040, *words)
    assert (typed.code, said in " ".join(typed.out.split())) == (4, True), typed
    assert uploads(terminal) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "Von"), "--map 'Von': write two words with = between them."),
        (("--map", "Von=note", "--map", "Von=name"), "--map names 'Von' twice."),
        (("--value", "Klasse=eco"), "write COLUMN:TEXT=CHOICE."),
        (
            ("--value", "cabin_class:Eco=economy", "--value", "cabin_class:Eco=first"),
            "--value reads 'Eco' as two choices.",
        ),
        (("--dates", "yyyy/dd/mm"), "payload.mapping.dates"),
        (("--decimal", "dot"), "'dot' is not one of 'comma', 'point'"),
    ],
)
def test_a_mistake_in_the_words_is_told_before_the_upload(
    terminal: Terminal, theirs: Path, words: tuple[str, ...], said: str
) -> None:
    typed = terminal.type("submit", theirs, *OF_2040, *words)
    assert (typed.code, said in " ".join(typed.err.split())) == (2, True), typed


def test_a_check_proposes_what_is_read_once_somebody_types_it(
    terminal: Terminal, theirs: Path
) -> None:
    checked = terminal.type("submit", theirs, *OF_2040, "--check")
    assert (checked.code, uploads(terminal)) == (4, []), checked
    _, _, typed = checked.err.partition("If that is right, submit it with:\n")
    words = shlex.split(typed.replace("\\\n", " ").replace("NAME", "agency"))
    renamed = [("--map", f"{name}={column}") for name, column in sorted(COLUMNS.items())]
    assert words == [
        *(part for pair in renamed for part in pair),
        *("--value", "cabin_class:Eco Flex=economy", "--decimal", "comma"),
        *("--dates", "dd.mm.yyyy", "--save-mapping", "agency"),
    ]
    mapped = terminal.type("submit", theirs, *OF_2040, *words)
    assert (mapped.code, "2 rows accepted" in mapped.out + mapped.err) == (0, True), mapped
    again = terminal.type("submit", theirs, *OF_2040, "--mapping", "agency", "--check")
    assert (again.code, "submit it with" in again.err) == (0, False), again


def proposed_words(said: str) -> list[str]:
    """What a check says to type, but for the name under which it may be saved."""
    _, _, typed = said.partition("If that is right, submit it with:\n")
    return shlex.split(typed.replace("\\\n", " ").replace("--save-mapping NAME", ""))


TITLES = "Reisen 2040\n\nStand: 31.12.2040\n"


def test_a_table_below_titles_is_found_and_shown_and_read_once_somebody_types_it(
    terminal: Terminal,
) -> None:
    file = terminal.file("titles.csv", TITLES + THEIRS)
    book = terminal.folder / "titles.xlsx"
    with xlsxwriter.Workbook(book) as written:
        written.add_worksheet("Notes").write(0, 0, "Ask Physics")
        sheet = written.add_worksheet("Trips of 2040")
        for at, line in enumerate((TITLES + THEIRS).splitlines()):
            sheet.write_row(at, 0, line.split(";"))
    for path, place in ((file, []), (book, ["--sheet", "Trips of 2040"])):
        refused = terminal.type("submit", path, *OF_2040, "--source", path.name)
        told = " ".join(refused.out.split())
        where = " in the sheet Trips of 2040" if place else ""
        assert f"Line 4 seems to be its header{where}. If that is what it means" in told, refused
        checked = terminal.type("submit", path, *OF_2040, "--source", path.name, "--check")
        words = proposed_words(checked.err)
        assert words[: len(place)] == place, checked
        assert words[-2:] == ["--header-line", "4"], checked
        typed = terminal.type("submit", path, *OF_2040, "--source", path.name, *words)
        assert (typed.code, "2 rows accepted" in typed.out + typed.err) == (0, True), typed
        again = terminal.type("submit", path, *OF_2040, "--source", path.name, *words, "--check")
        assert (again.code, "submit it with" in again.err) == (0, False), again


def test_a_proposal_has_what_was_said_already(terminal: Terminal, theirs: Path) -> None:
    said = ("--map", "Von=origin_iata", "--set", "note=by hand")
    checked = terminal.type("submit", theirs, *OF_2040, *said, "--check")
    words = proposed_words(checked.err)
    assert set(said) <= set(words), checked
    typed = terminal.type("submit", theirs, *OF_2040, *words, "--check")
    assert (typed.code, "submit it with" in typed.err) == (0, False), typed
    # A saved mapping is spelt out: the two cannot be mixed.
    saved = terminal.type("mappings", "save", "a-part", "--type", "plane", *said)
    assert saved.code == 0, saved
    checked = terminal.type("submit", theirs, *OF_2040, "--mapping", "a-part", "--check")
    assert proposed_words(checked.err) == words, checked


def test_a_check_proposes_formats_of_a_file_that_has_the_columns(terminal: Terminal) -> None:
    german = terminal.file("german.csv", OURS.replace(",", ";").replace("2040-03-31", "31.03.2040"))
    checked = terminal.type("submit", german, *OF_2040, "--check", "--json")
    assert checked.code == 10, checked
    assert json.loads(checked.out)["check"]["proposed_mapping"] == {"dates": "dd.mm.yyyy"}
    assert "\n  --dates dd.mm.yyyy \\\n  --save-mapping NAME\n" in checked.err


def test_a_refused_file_is_not_read_as_proposed_and_says_how(
    terminal: Terminal, theirs: Path
) -> None:
    assert terminal.type("submit", theirs, *OF_2040, *WORDS).code == 0
    before = uploads(terminal)
    typed = terminal.type("submit", theirs, *OF_2040)
    told = " ".join(typed.out.split())
    assert "Von (did you mean origin_iata?)" in told, typed
    assert "If that is what it means, submit it with `--map Anzahl=number_of_trips" in told, typed
    assert (typed.code, uploads(terminal)) == (4, before), typed


def test_a_script_maps_too(terminal: Terminal, theirs: Path) -> None:
    with Client.local(terminal.folder / "data") as client:
        report = client.submit_file(theirs, type="plane", year=2040, mapping=MAPPING)
        assert (report.status, report.rows_accepted) == ("success", 2)


def test_rejected_rows_are_corrected_with_the_same_mapping(
    terminal: Terminal, theirs: Path
) -> None:
    bad = terminal.file("bad.csv", THEIRS.replace("Business", "hammock"))
    typed = terminal.type("submit", bad, *OF_2040, *WORDS)
    number = typed.out.split("Pipeline ")[1].split()[0]
    listed = terminal.type("rejected", number, "-o", terminal.folder / "rejected.csv")
    assert listed.code == 0, listed
    rejected = (terminal.folder / "rejected.csv").read_text()
    assert rejected.startswith("Kostenstelle;Von;")
    mended = terminal.file("mended.csv", rejected.replace(";hammock;", ";Business;"))
    typed = terminal.type("submit", mended, *OF_2040, *WORDS, "--source", "mended")
    assert (typed.code, "1 row accepted" in typed.err + typed.out) == (0, True), typed


def test_factors_of_another_program_are_proposed_checked_and_loaded(terminal: Terminal) -> None:
    names = FACTORS.splitlines()[0].split(",")
    header = ";".join(name.replace("_", " ").capitalize() for name in names)
    rows = ("all;economy;0,2;1;0;", "all;business;0,4;1;0;")
    file = terminal.file("theirs_factors.csv", "\n".join((header, *rows, "")))
    refused = terminal.type("load", "factors", file, *OF_2040, "--check")
    assert refused.code != 0, refused
    assert "load it with:" in refused.err
    said = [line.strip(" \\") for line in refused.err.splitlines() if line.startswith("  --")]
    words = shlex.split(" ".join(said))
    # To save it under a name is for the load.
    assert words[-2:] == ["--save-mapping", "NAME"]
    words = words[:-2]
    checked = terminal.type("load", "factors", file, *OF_2040, *words, "--check")
    assert (checked.code, "0 new, 0 changed" in checked.out) == (0, True), checked
    loaded = terminal.type("load", "factors", file, *OF_2040, *words)
    assert loaded.code == 0, loaded
    told = terminal.type("factors", "--type", "plane", "--year", "2040", "--json")
    rows_in_force = json.loads(told.out)["rows"]
    values = {str(row["ef_kg_co2eq_per_km"]) for row in rows_in_force}
    assert values == {"0.2", "0.4"}, rows_in_force


def test_a_mapping_of_places_is_not_saved_for_a_mode_that_lacks_its_columns(
    terminal: Terminal, theirs: Path
) -> None:
    words = ("--transport-mode", "train", "--map", "Von=iata", "--save-mapping", "stations")
    typed = terminal.type("load", "locations", theirs, *words)
    assert typed.code != 0, typed
    assert "names a column iata that files" in " ".join(typed.err.split()), typed
    assert "Saved" not in typed.err


def test_a_mapping_of_a_load_is_for_a_file(terminal: Terminal) -> None:
    for words in (
        ("units", "--from", "unit-directory", "--year", "2040"),
        ("locations",),
        ("factors", "uk-gov-2024", "--year", "2040"),
    ):
        typed = terminal.type("load", *words, "--decimal", "comma")
        assert (typed.code, "for a FILE" in typed.err) == (2, True), typed


def test_the_mappings_of_a_folder_are_checked_before_its_first_file_is_loaded(
    terminal: Terminal, theirs: Path
) -> None:
    of_trips = f'[[activity]]\ntype = "plane"\nyears = 2041\nfile = "{theirs.name}"\nmapping = '
    (theirs.parent / "seed.toml").write_text(
        '[[units]]\nfile = "units.csv"\nyears = 2041\nmapping = { dates = "noon" }\n'
        '[[locations]]\ntransport_mode = "train"\nfile = "units.csv"\n'
        'mapping = { columns = { Code = "iata" } }\n'
        '[[rates]]\nfile = "units.csv"\nmapping = { columns = { Code = "code" } }\n'
        '[[factors]]\ntype = "plane"\nyears = 2041\nfile = "units.csv"\n'
        'mapping = { columns = { Von = "origin_iata" } }\n'
        f'{of_trips}{{ columns = {{ Von = "origin_iat" }} }}\n'
        f'{of_trips}{{ decimal = "comma" }}\nsource = "agency"\n'
    )
    terminal.file("units.csv", UNITS)
    before = terminal.type("pipelines", "--json").out
    typed = terminal.type("seed", str(theirs.parent))
    assert typed.code == 2
    _, *said = typed.err.partition("Nothing was loaded:")[2].splitlines()
    beginnings = (
        "  units 2041: mapping.dates must be how a day is written",
        "  locations train: mapping names a column iata that files",
        "  rates: mapping names a column",
        "  factors plane 2041: mapping names a column origin_iata that files",
        "  activity plane 2041: mapping names a column origin_iat that files",
    )
    for line, begins in zip(said, beginnings, strict=True):
        assert line.startswith(begins)
    assert terminal.type("pipelines", "--json").out == before
