"""What a mapping may be is proposed by names and by values, where these leave no other choice."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.worker_service.carbon.plane_files import opening
from tests.worker_service.carbon.test_text_of import workbook
from worker_service.carbon.catalogue.professional_travel.plane import PLANE
from worker_service.carbon.csv_source.refusal import RefusedFile
from worker_service.carbon.file_mapping import AS_DECLARED, FileMapping
from worker_service.carbon.parse.entries import EntryScope, entry_columns, read_entries
from worker_service.carbon.proposed_mapping import codes_in, proposed_mapping, sample_of
from worker_service.carbon.workbooks.text_of import NO_GUESS, Guess, OfSheet

COLUMNS = entry_columns(PLANE, per_year=True)
PLACES = {"gva", "cdg", "jfk"}
SCOPE = EntryScope(2024, ["0828", "0829"])
OURS = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "departure_date,number_of_trips,distance_km\n"
    "0828,GVA,CDG,1,economy,2024-03-31,1,407.5\n"
    "0829,CDG,JFK,2,business,2024-04-01,2,5837\n"
    "0828,JFK,GVA,1,premium_economy,2024-04-13,1,6201.25\n"
)
GERMAN = (
    "Kostenstelle;Von;Nach;Personalnummer;Klasse;Reisedatum;Anzahl;Kilometer\n"
    "0828;GVA;CDG;1;Economy Class;31.03.2024;1;407,5\n"
    "0829;CDG;JFK;2;Business;1.4.2024;2;5.837\n"
    "0828;JFK;GVA;1;Premium Economy;13.04.2024;1;6.201,25\n"
)
FRENCH = (
    "Centre de coût;Départ;Arrivée;Matricule;Classe;Date de voyage;Nombre de trajets;km\n"
    "0828;GVA;CDG;1;Économique;31/03/2024;1;407,5\n"
    "0829;CDG;JFK;2;Affaires;01/04/2024;2;5 837\n"
    "0828;JFK;GVA;1;premium éco;13/04/2024;1;6 201,25\n"
)
ENGLISH = (
    "Cost centre,Departure,Arrival,Traveller,Travel class,Travel date,Flights,Kilometres\n"
    "0828,GVA,CDG,1,Economy Class,03/31/2024,1,407.5\n"
    '0829,CDG,JFK,2,Business Class,04/01/2024,2,"5,837.0"\n'
    '0828,JFK,GVA,1,Premium Economy,04/13/2024,1,"6,201.25"\n'
)


def proposed(text: str, said: FileMapping = AS_DECLARED) -> FileMapping:
    sample = sample_of(opening(text), COLUMNS).sample
    places = PLACES & set(codes_in(sample))
    return proposed_mapping(COLUMNS, sample, places, said).mapping


def entries(text: str | bytes, mapping: FileMapping = AS_DECLARED) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for batch in read_entries(PLANE, opening(text), SCOPE, mapping=mapping).batches:
        assert batch.rejected.is_empty(), batch.rejected.rows()
        found += batch.accepted.to_dicts()
    return found


@pytest.mark.parametrize("theirs", [GERMAN, FRENCH, ENGLISH], ids=["German", "French", "English"])
def test_a_file_that_is_read_as_proposed_has_the_entries_of_ones_own(theirs: str) -> None:
    assert entries(theirs, proposed(theirs)) == entries(OURS)


def test_a_file_of_ones_own_is_left_alone() -> None:
    assert proposed(OURS) == AS_DECLARED


def columns_of(header: str, *rows: str) -> Mapping[str, str]:
    return proposed("\n".join([header, *rows])).columns


@pytest.mark.parametrize(
    ("header", "rows", "columns"),
    [
        # Names that mean nothing, by their values: cabins. Of two places the order says nothing.
        ("a,b,c", ["GVA,CDG,Economy Class", "CDG,JFK,Business"], {"c": "cabin_class"}),
        # The only days of a file may be others than those of departure.
        ("d", ["2024-03-31"], {}),
        ("Booking date", ["2024-03-31"], {}),
        ("Rechnungsdatum,Rückreisedatum", ["31.03.2024,31.03.2024"], {}),
        ("Booking date,Tag", ["31.03.2024,01.04.2024"], {"Tag": "departure_date"}),
        # A name that the values contradict.
        ("Departure,x", ["2024-03-31,GVA"], {"Departure": "departure_date"}),
        ("Departure,Arrival", ["Geneva,Paris"], {}),
        # Known places are needed: three letters may be anything.
        ("a,b", ["USD,EUR"], {}),
        ("Departure thing,Arrival thing", ["USD,EUR"], {}),
        # One of two places may be either.
        ("a", ["GVA"], {}),
        ("origin_iata,a", ["GVA,CDG"], {}),
        # Letters may be cabins.
        ("a", ["Y", "C"], {}),
        # Two names for the same.
        ("From,Von", ["GVA,GVA"], {}),
        ("Von,Nach", [], {"Von": "origin_iata", "Nach": "destination_iata"}),
    ],
)
def test_columns_are_proposed_where_there_is_no_other_choice(
    header: str, rows: Sequence[str], columns: Mapping[str, str]
) -> None:
    assert columns_of(header, *rows) == columns


@pytest.mark.parametrize(
    ("column", "texts", "said"),
    [
        ("departure_date", ["31.03.2024", "1.4.2024"], "dd.mm.yyyy"),
        ("departure_date", ["31.03.24"], "dd.mm.yy"),
        ("departure_date", ["20240331"], "yyyymmdd"),
        ("departure_date", ["03/31/2024", "2024-04-01"], "mm/dd/yyyy"),
        # The third of April, or the fourth of March.
        ("departure_date", ["03/04/2024"], ""),
        ("departure_date", ["2024-03-31"], ""),
        ("departure_date", ["soon"], ""),
        ("distance_km", ["1.234,5"], "comma"),
        ("distance_km", ["12,5", "n/a", "7"], "comma"),
        ("distance_km", ["1,234.5"], "point"),
        # A thousand, or one and a bit.
        ("distance_km", ["1,234"], ""),
        ("distance_km", ["1234.5", "7"], ""),
        # In one file both can be right only once.
        ("distance_km", ["12,5", "12.5"], ""),
        ("distance_km", ["1.234,5", "1,234.5"], ""),
    ],
)
def test_formats_are_proposed_where_all_values_have_one(
    column: str, texts: Sequence[str], said: str
) -> None:
    found = proposed("\n".join([f"x;{column}", *(f"1;{text}" for text in texts)]))
    assert found.decimal + found.dates == said
    assert not found.columns


def test_what_is_said_already_is_not_proposed_again() -> None:
    said = FileMapping(
        columns={"Von": "origin_iata", "Klasse": "cabin_class"},
        constants={"unit_institutional_id": "0828"},
        values={"cabin_class": {"Economy Class": "economy"}},
        decimal="comma",
    )
    assert proposed(GERMAN, said) == FileMapping(
        columns={
            name: column
            for name, column in proposed(GERMAN).columns.items()
            if column not in {"origin_iata", "cabin_class", "unit_institutional_id"}
        },
        dates="dd.mm.yyyy",
    )


def test_words_of_a_choice_are_found_in_longer_ones() -> None:
    rows = "\n".join(
        f"x,{text}" for text in ("Premium Economy (W)", "Eco Flex", "hammock", "first")
    )
    found = proposed(f"a,cabin_class\n{rows}\n")
    assert found.values == {
        "cabin_class": {"Premium Economy (W)": "premium_economy", "Eco Flex": "economy"}
    }


TITLES = "Reisen 2024;;\n;;\nStand: 31.12.2024;;\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (OURS, 0),
        (GERMAN, 0),
        (f"\n\n{GERMAN}", 0),
        (f"sep=;\n{GERMAN}", 0),
        (TITLES + GERMAN, 4),
        (f"Report\n\n{ENGLISH}", 3),
        # Names of one's own, too.
        (f"Report\n{OURS}", 2),
        # Names that mean nothing: the first wide line.
        ("Report;2024;;;\na;b;c;d;e\n1;2;3;4;5\n", 2),
        ("a;b;c\n1;2;3;4\n", 0),
        ("From: a@b\nType: mail; of=x\n\nSee the file\n", 0),
    ],
)
def test_a_header_below_titles_is_found_by_its_names(text: str, line: int) -> None:
    assert sample_of(opening(text), COLUMNS).guess == Guess(header_line=line)


def test_a_file_below_titles_is_read_once_its_line_is_said() -> None:
    found = proposed(GERMAN)
    said = dataclasses.replace(found, header_line=4)
    assert entries(TITLES + GERMAN, said) == entries(OURS)
    assert sample_of(opening(TITLES + GERMAN), COLUMNS, said).guess == NO_GUESS


def as_sheet(text: str, separator: str = ";") -> list[list[object]]:
    return [list(line.split(separator)) for line in text.splitlines()]


def test_the_sheet_of_a_workbook_is_found_by_its_names() -> None:
    notes: list[list[object]] = [["Notes"], ["a", "b", "c"], [1, 2, 3]]
    book = workbook({"Notes": notes, "Reisen": as_sheet(TITLES + GERMAN), "Codes": [["x"]]})
    seen = sample_of(opening(book), COLUMNS)
    assert (seen.guess, list(seen.sample)[:2]) == (Guess("Reisen", 4), ["Kostenstelle", "Von"])
    # A sheet that somebody has named is read, whatever it has.
    assert sample_of(OfSheet(opening(book), "Notes"), COLUMNS).guess == Guess("", 2)
    places = PLACES & set(codes_in(seen.sample))
    found = proposed_mapping(COLUMNS, seen.sample, places).mapping
    said = dataclasses.replace(found, header_line=seen.guess.header_line)
    reading = read_entries(PLANE, OfSheet(opening(book), "Reisen"), SCOPE, mapping=said)
    assert sum(batch.accepted.height for batch in reading.batches) == 3


def test_a_hidden_sheet_is_proposed_where_no_other_has_the_columns() -> None:
    book = workbook(
        {"Cover": [["Trips"], ["x", "y"]], "Data": as_sheet(OURS, ",")}, hidden=["Data"]
    )
    assert sample_of(opening(book), COLUMNS).guess == Guess("Data")
    # Read it is only by its name.
    with pytest.raises(RefusedFile, match="the sheet Cover was read"):
        read_entries(PLANE, opening(book), SCOPE)


def test_of_two_sheets_with_such_names_neither_is_found() -> None:
    book = workbook({"2023": as_sheet(GERMAN), "2024": as_sheet(GERMAN)})
    with pytest.raises(RefusedFile, match="none of the sheets 2023, 2024 has") as refused:
        sample_of(opening(book), COLUMNS)
    assert "origin_iata" in refused.value.missing


def test_a_proposal_is_completed_by_what_was_said() -> None:
    said = FileMapping(columns={"Von": "origin_iata"}, constants={"note": "x"}, dates="dd.mm.yyyy")
    completed = said.completed_by(proposed(GERMAN, said))
    whole = proposed(GERMAN)
    assert completed == dataclasses.replace(whole, constants={"note": "x"})


def test_a_file_without_rows_is_read_by_its_names() -> None:
    assert columns_of("Von;Nach") == {"Von": "origin_iata", "Nach": "destination_iata"}


def test_a_file_that_has_no_table_is_refused() -> None:
    with pytest.raises(RefusedFile):
        sample_of(opening(b"\x00\x01"), COLUMNS)


def test_names_are_as_they_are_in_the_file() -> None:
    seen = sample_of(opening('"Von ";Nach\nGVA;CDG\n'), COLUMNS)
    assert list(seen.sample) == ["Von", "Nach"]
    assert dataclasses.asdict(proposed("Von\nGVA\n"))["columns"] == {"Von": "origin_iata"}
