"""Rows that stray quotes make part of a field of another row."""

import pytest

from tests.worker_service.carbon.plane_files import PLANE, SCOPE, batches_of, opening
from worker_service.carbon.parse.entries import read_entries
from worker_service.carbon.parse.references import read_units

HEADER = (
    "unit_institutional_id;origin_iata;destination_iata;user_institutional_id;cabin_class;"
    "number_of_trips;note\n"
)
ROW = "0829;ZRH;LHR;a2;economy;1;x\n"
ONE = "holds a line that looks like a row of the file"
TWO = "holds 2 lines that look like rows of the file"


@pytest.mark.parametrize(
    ("rows", "column", "said"),
    [
        ('0828;GVA;CDG;a1;economy;1;"open\n' + ROW + ROW.replace("x", 'x"'), "note", TWO),
        ('0828;GVA;CDG;a1;economy;1;"open\n' + ROW + ROW.replace("x", '"x'), "note", TWO),
        ('0828;GVA;CDG;a1;economy;1;"open\n' + ROW.replace("x", '"x"'), "note", ONE),
        ('0828;GVA;CDG;"a1;economy;1;x\n' + ROW.replace("a2", 'a2"'), "user_institutional_id", ONE),
        (
            '0828;GVA;CDG;"a1;economy;1;x\n' + ROW + ROW.replace("a2", '"a2'),
            "user_institutional_id",
            TWO,
        ),
    ],
)
def test_rows_between_two_stray_quotes_are_not_lost(rows: str, column: str, said: str) -> None:
    [batch, _] = batches_of(HEADER + ROW + rows + ROW)

    assert batch.accepted["row_number"].to_list() == [1, 3]
    [(row, where, reason)] = batch.rejected.select("row", "column", "reason").rows()
    assert (row, where) == (2, column)
    assert reason.startswith(said + ': a quote (") is missing or too many; ')


def test_a_note_of_several_lines_is_accepted() -> None:
    note = '"first; then\nsecond, third; a;b;c\n"'
    [batch, _] = batches_of(HEADER + f"0828;GVA;CDG;a1;economy;1;{note}\n" + ROW)
    assert batch.rejected.is_empty()
    assert batch.accepted.height == 2


def test_prose_with_as_many_commas_as_a_short_header_is_not_a_row() -> None:
    table = read_units(opening('unit_institutional_id,name\n0828,"Physics\nLausanne, Basel"\n'))
    assert table.rejected.is_empty()


def test_units_between_two_stray_quotes_are_not_lost() -> None:
    content = 'unit_institutional_id,name\n0828,"Physics\n0829,Chemistry\n0830,"Maths\n12,B\n'
    table = read_units(opening(content))
    assert table.accepted["unit_id"].to_list() == ["12"]
    assert table.rejected["reason"][0].startswith(TWO)


def test_rejected_rows_that_are_sent_again_as_they_are_are_rejected_again() -> None:
    content = HEADER + '0828;GVA;CDG;a1;economy;1;"open\n' + ROW + ROW.replace("x", 'x"')
    file = read_entries(PLANE, opening(content), SCOPE)
    [batch, _] = file.batches
    [again, _] = batches_of(file.rejected_header + batch.rejected_lines)
    assert again.accepted.is_empty()
    assert again.rejected["reason"][0].startswith(TWO)


def test_rows_in_a_record_that_is_too_wide_are_told_too() -> None:
    content = HEADER + '0828;GVA;CDG;"a1;economy;1;x\n' + ROW + '0829";ZRH;LHR;a2;economy;1;x\n'
    [batch, _] = batches_of(content)
    assert batch.rejected["reason"][0].startswith(ONE)
