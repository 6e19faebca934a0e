"""A header with commas over rows with semicolons, and the like, is named as what it is."""

from collections.abc import Callable, Mapping

import pytest

from tests.worker_service.carbon.plane_files import PLANE, SCOPE, batches_of, opening
from worker_service.carbon.csv_source.refusal import Cause, RefusedFile
from worker_service.carbon.parse.entries import read_entries
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.references import read_locations, read_units

COMMA, SEMICOLON, TAB = ",", ";", "\t"
NAMES = {COMMA: "commas", SEMICOLON: "semicolons", TAB: "tabs"}
MIXED = [(one, other) for one in NAMES for other in NAMES if one != other]
READERS: Mapping[str, Callable[[str], object]] = {
    "entries": lambda file: list(read_entries(PLANE, opening(file), SCOPE).batches),
    "factors": lambda file: read_factors(PLANE, opening(file)),
    "places": lambda file: read_locations("plane", opening(file)),
    "units": lambda file: read_units(opening(file)),
}
HEADERS = {
    "entries": (
        "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class"
    ),
    "factors": "category,cabin_class,ef_kg_co2eq_per_km",
    "places": "iata,latitude,longitude",
    "units": "unit_institutional_id,name",
}
ROWS = {
    "entries": "0828,GVA,CDG,1,economy",
    "factors": "short,economy,0.2",
    "places": "GVA,46.2,6.1",
    "units": "0828,Physics",
}


@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.parametrize(("of_header", "of_rows"), MIXED)
def test_a_file_whose_rows_have_another_separator_is_refused_in_one_sentence(
    of_header: str, of_rows: str, kind: str
) -> None:
    header, row = HEADERS[kind].replace(COMMA, of_header), ROWS[kind].replace(COMMA, of_rows)
    with pytest.raises(RefusedFile) as refused:
        READERS[kind](f"{header}\n\n{row}\n{row}\n")
    assert refused.value.cause is Cause.MIXED_SEPARATORS
    assert str(refused.value) == (
        f"the header has {NAMES[of_header]} between its columns, and the rows have"
        f" {NAMES[of_rows]}: use one of them in the whole file"
    )


def test_decimal_commas_in_such_rows_do_not_hide_it() -> None:
    header = HEADERS["entries"] + ",kg_co2eq,note"
    with pytest.raises(RefusedFile, match="the rows have semicolons"):
        READERS["entries"](f"{header}\n0828;GVA;CDG;1;economy;0,5;later\n")


def test_quotes_in_such_rows_do_not_hide_it() -> None:
    with pytest.raises(RefusedFile, match="the rows have semicolons"):
        READERS["units"](f'{HEADERS["units"]}\n"0828";"Physics"\n')


def test_a_row_of_its_own_separator_among_others_is_rejected_as_that_and_comes_back_whole() -> None:
    good, other = ROWS["entries"], ROWS["entries"].replace(COMMA, SEMICOLON)
    batch = batches_of(f"{HEADERS['entries']}\n{good}\n{other}\n")[0]
    assert batch.accepted["row_number"].to_list() == [1]
    reason = "has semicolons between its fields, and the header has commas"
    assert batch.rejected.rows() == [(2, "", other, reason)]
    assert batch.rejected_lines.decode() == f'{other},,,,,2,"{reason}"\n'


def test_a_wide_row_of_another_separator_is_rejected_as_that() -> None:
    table = read_units(opening("unit_institutional_id,name\n0829,Law\n0828;Physics, old, new\n"))
    [rejected] = table.rejected.to_dicts()
    assert rejected["reason"] == "has semicolons between its fields, and the header has commas"


@pytest.mark.parametrize("note", ["a;b;c;d", "a;b;c;d;e;f;g;h;i", "a\tb"])
def test_marks_in_a_good_row_are_no_separators(note: str) -> None:
    header = HEADERS["entries"] + ",note"
    assert batches_of(f"{header}\n{ROWS['entries']},{note}\n")[0].rejected.is_empty()
    table = read_units(opening(f"unit_institutional_id,name\n0;828,{note}\n"))
    assert table.accepted["unit_id"].to_list() == ["0;828"]


def test_a_row_that_lacks_its_end_is_told_what_is_missing() -> None:
    batch = batches_of(f"{HEADERS['entries']}\n0828,GVA,CDG\n")[0]
    assert "has semicolons" not in " ".join(batch.rejected["reason"])


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("mark", ["|", ":", "^", "~", "/", " "])
def test_a_separator_that_no_file_is_read_with_is_named(kind: str, mark: str) -> None:
    file = f"{HEADERS[kind]}\n{ROWS[kind]}\n".replace(COMMA, mark)
    with pytest.raises(RefusedFile) as refused:
        READERS[kind](file)
    assert refused.value.cause is Cause.MISSING_COLUMNS
    named = "spaces" if mark == " " else f'"{mark}"'
    assert str(refused.value) == (
        f"the header has {named} between its columns: save the file with commas, semicolons or tabs"
    )


def test_a_header_of_one_wrong_name_is_not_about_separators() -> None:
    with pytest.raises(RefusedFile) as refused:
        READERS["units"]("iata|latitude\nGVA|46\n")
    assert "lacks the columns unit_institutional_id, name" in str(refused.value)
