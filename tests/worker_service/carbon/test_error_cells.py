"""Cells that only seem to be empty are told, however the XML of a workbook is written."""

import io
import re
import zipfile

import pytest

from tests.worker_service.carbon.plane_files import batches_of
from tests.worker_service.carbon.test_text_of import (
    HEADER,
    ROW,
    archive,
    ods,
    with_cells,
    workbook,
)


@pytest.mark.parametrize(
    ("prefix", "formula"),
    [
        ("x:", "<f>5*2</f><v></v>"),
        ("", "<f>5*2</f><v></v>"),
        ("x:", "<f>5*2</f><v/>"),
        ("x:", "<f>5*2</f>"),
        ("", "<f>5*2</f >\n  <v />\n"),
        ("", "<f>5*2</f>\n"),
        ("x:", '<f>5*2</f><v xml:space="preserve"> </v>'),
        ("", "<f>5*2</f><!-- --><v/>"),
    ],
)
def test_a_formula_that_nothing_has_computed_is_not_taken_for_an_empty_cell(
    prefix: str, formula: str
) -> None:
    """As openpyxl writes it, and as XML may be written."""
    file = workbook({"Trips": [HEADER, ROW, with_cells(number_of_trips="=5*2")]})
    computed = b't="e"><f>5*2</f><v>#DIV/0!</v>'
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    [sheet] = [name for name, part in parts.items() if computed in part]
    text = parts[sheet].replace(b" " + computed, b">" + formula.encode()).decode()
    if prefix:
        text = re.sub("<(/?)([A-Za-z])", rf"<\1{prefix}\2", text).replace("xmlns=", "xmlns:x=")
    parts[sheet] = text.encode()
    [batch, _] = batches_of(archive(parts))
    assert batch.accepted["row_number"].to_list() == [1]
    assert batch.rejected.select("row", "column", "value").rows() == [
        (2, "number_of_trips", "=5*2")
    ]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('table:formula="of:=5&gt;2"', "=5>2"),
        ('table:formula="of:=5*2" office:value-type="float"', "=5*2"),
        ('table:formula="of:=5*2" office:value-type="float" office:value="10"', ""),
        # An empty text that was computed.
        ('table:formula="of:=T(1)" office:value-type="string"', ""),
    ],
)
def test_a_formula_of_open_document_that_nothing_has_computed_is_told(
    cell: str, value: str
) -> None:
    file = ods([HEADER, with_cells(number_of_trips="here")])
    with zipfile.ZipFile(io.BytesIO(file)) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    text = b'office:value-type="string"><text:p>here</text:p>'
    assert text in parts["content.xml"]
    parts["content.xml"] = parts["content.xml"].replace(text, f"{cell}>".encode())
    [batch, _] = batches_of(archive(parts))
    told = [(1, "number_of_trips", value)] if value else []
    assert batch.rejected.select("row", "column", "value").rows() == told
    assert batch.accepted.height == 1 - len(told)
