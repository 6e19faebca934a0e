"""Rows as CSV: a column for each field, texts that no spreadsheet runs, and nothing unordered."""

import csv
import io
from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from carbonline.v1 import emissions_pb2, ledger_pb2, types_pb2
from gateway_service.transcode.csv_rows import columns_of, header, line_of


def read_back(row: Message) -> dict[str, str]:
    columns = columns_of(cast(Descriptor, row.DESCRIPTOR))
    (read,) = csv.DictReader(
        io.StringIO((header(columns) + line_of(columns, row)).decode(), newline="")
    )
    return read


def test_enums_are_words_numbers_are_exact_and_maps_are_json_in_order() -> None:
    row = ledger_pb2.ModuleTotals(
        unit="0828",
        module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
        total_kg=0.1,
        total_kg_exact="-0.1000",
        outcome_counts={"no_factor": 2, "computed": 1},
    )
    read = read_back(row)
    assert (read["unit"], read["module"]) == ("0828", "professional_travel")
    assert (read["total_kg"], read["total_kg_exact"]) == ("0.1", "-0.1000")
    assert read["outcome_counts"] == '{"computed": "1", "no_factor": "2"}'
    assert read["computed_at"] == ""


def test_no_text_is_a_formula_and_quotes_and_line_breaks_stay() -> None:
    for given, written in (
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@x", "'@x"),
        ("-3", "-3"),
        ('a "b", c\r\nd', 'a "b", c\r\nd'),
    ):
        assert read_back(emissions_pb2.EntryResult(unit=given))["unit"] == written


def test_a_nested_message_has_columns_of_its_own_and_a_list_one_cell() -> None:
    names = [column.name for column in columns_of(types_pb2.Pipeline.DESCRIPTOR)]
    assert "scope_module" in names
    assert "scope" not in names
    row = emissions_pb2.EntryResult(
        emissions=[emissions_pb2.RowEmission(emission_type="travel", kg=2.5)]
    )
    assert '"kg": 2.5' in read_back(row)["emissions"]
