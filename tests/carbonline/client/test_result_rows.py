"""A row is as many results as it has emissions, and one if it has none."""

from carbonline.client.result_rows import result_rows
from carbonline.v1 import emissions_pb2, types_pb2


def test_each_emission_of_a_row_is_a_result_and_a_row_without_is_one() -> None:
    row = emissions_pb2.EntryResult(
        upload_id=4, row_number=2, data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE, unit="0828"
    )
    [alone] = result_rows(row)
    assert (alone["type"], alone["row"], "kg_co2eq" in alone) == ("plane", 2, False)
    row.emissions.add(emission_type="a", kg=0.0)
    row.emissions.add(emission_type="b", kg=2.5, additional_value=0.0).factor.factor_id = 7
    first, second = result_rows(row)
    assert (first["kg_co2eq"], first["additional_value"], "factor" in first) == (0.0, None, False)
    assert (second["kg_co2eq"], second["additional_value"], second["factor"]) == (2.5, 0.0, 7)
