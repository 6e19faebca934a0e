"""Decimal commas between commas, where empty fields at a row's end hide them."""

import pytest

from tests.worker_service.carbon.plane_files import PLANE, SCOPE, batches_of, opening
from worker_service.carbon.catalogue.professional_travel.road_travel import ROAD_TRAVEL
from worker_service.carbon.parse.entries import read_entries
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.parse.routed_rows import read_routed
from worker_service.carbon.routes import routes_of

HEADER = (
    "unit_institutional_id,origin_iata,destination_iata,user_institutional_id,cabin_class,"
    "distance_km,number_of_trips\n"
)
DIVIDED = "0828,GVA,CDG,a1,economy,407,5,\n"
PLAIN = "0829,ZRH,LHR,a2,economy,788,2\n"
PADDED = "0829,ZRH,LHR,a2,economy,,2,\n"
QUOTED = '0829,ZRH,LHR,"a"2,economy,788,2\n'


@pytest.mark.parametrize(
    "others", [PLAIN, PLAIN + PLAIN.replace("a2", "a3"), "0829,ZRH,LHR,a2,economy\n", QUOTED]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_row_that_is_longer_than_others_by_a_decimal_comma_is_rejected(
    others: str, first: bool
) -> None:
    rows = DIVIDED + others if first else others + DIVIDED
    [batch, last] = batches_of(HEADER + rows)
    assert batch.accepted.height == others.count("\n")
    [(column, value, reason)] = batch.rejected.select("column", "value", "reason").rows()
    assert (column, value) == ("distance_km", "407,5")
    assert reason.startswith("is 407.5 if its comma is a decimal one, or 407 and then 5 in the")
    assert last.warned.is_empty()


def test_a_file_whose_every_row_is_padded_is_accepted_if_some_are_more_so() -> None:
    rows = PADDED.replace(",2,", ",2,,") + DIVIDED.replace(",5,", ",5,,,")
    [batch, last] = batches_of(HEADER + rows)
    assert (batch.rejected.height, last.warned.height) == (0, 0)


def test_rows_that_are_all_padded_alike_are_no_fault() -> None:
    [batch, last] = batches_of(HEADER + PADDED + DIVIDED * 2)
    assert (batch.accepted.height, batch.rejected.height) == (3, 0)
    assert not any("decimal" in reason for reason in last.warned["reason"])


@pytest.mark.parametrize("rows", [DIVIDED, DIVIDED + DIVIDED.replace("407,5", "788,3")])
def test_a_file_whose_rows_all_look_divided_is_warned_of(rows: str) -> None:
    [batch, last] = batches_of(HEADER + rows)
    assert batch.rejected.is_empty()
    assert last.warned["column"].to_list() == ["distance_km"] * batch.accepted.height
    assert last.warned_rows == batch.accepted.height


def test_rows_that_others_show_to_be_padded_are_doubtful_and_not_rejected() -> None:
    [batch, last] = batches_of(HEADER + PLAIN + PADDED + DIVIDED)
    assert batch.rejected.is_empty()
    assert last.warned.select("row", "value").rows() == [(3, "407,5")]


ROAD_HEADER = "unit_institutional_id,vehicle_class,distance,user_institutional_id,fuel\n"
ROAD = "0828,average car,120,123456,\n"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (ROAD_HEADER, ROAD),
        # The last column must be filled, and a divided number would leave it empty.
        (ROAD_HEADER.replace(",fuel", ""), "0828,average car,120,123456\n"),
    ],
)
def test_no_comma_is_a_decimal_one_that_would_empty_a_column_that_must_be_filled(
    header: str, row: str
) -> None:
    padded = row.replace("\n", ",\n")
    for rows in (row + padded.replace("120", "121"), padded):
        file = read_entries(ROAD_TRAVEL, opening(header + rows), SCOPE)
        for batch in file.batches:
            assert batch.rejected.is_empty()
            assert not any("decimal" in reason for reason in batch.warned["reason"])


def test_a_decimal_comma_that_leaves_all_columns_filled_is_told_of() -> None:
    rows = "0828,average car,120,5,123456,\n0828,average car,120,123456,\n"
    [batch, *_] = read_entries(ROAD_TRAVEL, opening(ROAD_HEADER + rows), SCOPE).batches
    assert batch.rejected.select("row", "value").rows() == [(1, "120,5")]


def test_a_note_that_is_half_a_number_is_told() -> None:
    header = HEADER.replace("distance_km,number_of_trips", "kg_co2eq,note")
    [batch, _] = batches_of(f"{header}0828,GVA,CDG,a1,economy,1,5,\n0828,GVA,CDG,a1,economy,2,x\n")
    assert batch.rejected.select("row", "column", "value").rows() == [(1, "kg_co2eq", "1,5")]


def test_what_is_rejected_comes_back_as_it_was() -> None:
    file = read_entries(PLANE, opening(HEADER + PLAIN + DIVIDED), SCOPE)
    assert DIVIDED.strip(",\n") in b"".join(b.rejected_lines for b in file.batches).decode()


def test_semicolons_between_fields_leave_nothing_to_guess() -> None:
    [batch, last] = batches_of((HEADER + PLAIN + DIVIDED).replace(",", ";"))
    assert (batch.rejected.height, last.warned.height) == (0, 0)


def test_divided_factors_are_told() -> None:
    header = "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    table = read_factors(PLANE, opening(header + "a,economy,0,13465,,,\nb,first,0.5,1,0,\n"))
    assert table.rejected["value"].to_list() == ["0,13465"]


def test_a_file_of_several_types_is_read_as_files_of_each_are() -> None:
    routes = routes_of(5)
    assert routes is not None
    header = "unit_institutional_id,name,total_spent_amount,purchase_institutional_code\n"
    rows = "0828,Broom,120,456\n0828,Mop,120,456,\n0829,Van,120,456,\n"
    text = read_routed(routes, opening(header + rows), of_one_unit=False)
    assert [batch.ragged.rows() for batch in text.batches] == [[]]
