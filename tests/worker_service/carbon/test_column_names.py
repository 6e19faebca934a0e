"""Names of columns may have several lines, and begin as formulas do: a mapping finds them in the
file, and in the list of its rejected rows.
"""

import csv
import dataclasses
import io
from collections.abc import Callable, Mapping, Sequence

import pytest

from carbonline.mapping_flags import how_to_read_flags, mapping_flags
from tests.worker_service.carbon.plane_files import opening
from tests.worker_service.carbon.test_mapped_tables import READERS
from tests.worker_service.carbon.test_proposed_mapping import COLUMNS as OF_TRIPS
from tests.worker_service.carbon.test_proposed_mapping import FRENCH, OURS, PLACES, entries
from tests.worker_service.carbon.test_text_of import ods, workbook
from worker_service.carbon.csv_source.column_names import compared_names
from worker_service.carbon.file_mapping import FileMapping
from worker_service.carbon.proposed_mapping import codes_in, proposed_mapping, sample_of

# A bare equals sign would make a formula of a cell.
SIGNS = ("+", "-", "@", "'=")
Rows = Sequence[Sequence[str]]


def as_csv(separator: str) -> Callable[[Rows], bytes]:
    def written(rows: Rows) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows(rows)
        return text.getvalue().encode()

    return written


def as_xlsx(rows: Rows) -> bytes:
    return workbook({"Their": [list(row) for row in rows]})


FORMS: Mapping[str, Callable[[Rows], bytes]] = {
    "CSV": as_csv(";"),
    "CSV with commas": as_csv(","),
    "xlsx": as_xlsx,
    "ods": ods,
}


def test_a_name_is_on_one_line_and_without_marks_for_every_reader() -> None:
    for columns, read in READERS.values():
        row = [column.example for column in columns]
        names = [f"{SIGNS[at % 4]}Their\r\n {one.name}" for at, one in enumerate(columns)]
        said = [" ".join(name.removeprefix("'").split()) for name in names]
        meant = dict(zip(said, (one.name for one in columns), strict=True))
        mapping = FileMapping(columns=meant)
        ours = read(opening(as_csv(",")([[one.name for one in columns], row])), FileMapping())
        theirs = read(opening(as_csv(";")([names, row])), mapping)
        assert theirs.accepted.equals(ours.accepted)
        [header] = theirs.originals.first_line().decode().splitlines()
        mended = f"{header}\n".encode() + as_csv(";")([[*row, "7", "a reason"]])
        assert read(opening(mended), mapping).accepted.equals(ours.accepted)


@pytest.mark.parametrize("form", FORMS)
def test_names_of_several_lines_are_proposed_as_a_shell_passes_them_on(form: str) -> None:
    header, *rows = [line.split(";") for line in FRENCH.splitlines()]
    broken = [[name.replace(" ", " \n") for name in header]]
    broken += [[*row[:4], row[4].replace(" ", "\n"), *row[5:]] for row in rows]
    above = [["Voyages 2024\nde tous"], [""]]
    content = FORMS[form]([*above, *broken])
    seen = sample_of(opening(content), OF_TRIPS)
    assert list(seen.sample) == header
    proposed = proposed_mapping(OF_TRIPS, seen.sample, PLACES & set(codes_in(seen.sample)))
    mapping = dataclasses.replace(proposed.mapping, header_line=seen.guess.header_line)
    flags = how_to_read_flags("", dataclasses.asdict(mapping))
    assert [flag for flag in flags if not flag.isprintable()] == []
    assert entries(content, mapping) == entries(OURS)


def test_a_shell_passes_on_a_name_that_begins_with_an_equals_sign() -> None:
    found = mapping_flags({"columns": {"=Von": "origin_iata", "=a b": "", "-x": "note"}})
    assert found == ["--map -x=note", "--map '=Von=origin_iata'", "--map '=a b='"]


def test_names_are_compared_as_people_see_them() -> None:
    written = ["Von\n(IATA)", "'=Von", '="Von"', '\'="Von"', '"Von "', "\u200bkm\u00a0\u2028h"]
    assert compared_names(written) == ["von (iata)", "=von", "von", "von", "von", "km h"]
