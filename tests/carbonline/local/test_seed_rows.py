"""Two files of a seed must not give one unit, place or row two values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from carbonline.local.seed_rows import SeedRows, differing_sentences

UNIT, PLACE = "unit_institutional_id,name\n", "iata,name,latitude,longitude\n"
STATION, RATE = "name,country,latitude,longitude\n", "currency,year,units_per_eur\n"
# By kind and mode: a file, another that agrees with it, one that does not, and what is said.
FILES: Mapping[tuple[str, str], tuple[str, str, str, str]] = {
    ("units", ""): (
        UNIT + "0828,Physics\nSCI-B,Biology\n",
        "unit_institutional_id,name,parent_unit_id\n0829,Chemistry,\nsci-b,Biology,0829\n",
        UNIT + "0830,Maths\nsci-b,Zoology\n",
        "a.csv row 2 and c.csv row 2: of sci-b, name is Biology and Zoology",
    ),
    ("locations", "plane"): (
        PLACE + "GVA,Geneva,46.2381,6.109\n",
        PLACE + "gva,Geneva,46.23810,6.109\nCDG,Paris,49.0,2.5\n",
        PLACE + "ZRH,Zurich,47.4,8.5\nGVA,,46.3,6.109\n",
        "a.csv row 1 and c.csv row 2: of gva, name is Geneva and empty, latitude is 46.2381",
    ),
    ("locations", "train"): (
        STATION + "Geneva,CH,46.21,6.14\n",
        STATION + "Geneva,CH,46.21,6.14\n",
        STATION + "geneva,ch,46.22,6.14\n",
        "a.csv row 1 and c.csv row 1: of ",
    ),
    ("rates", ""): (
        RATE + "CHF,2024,0.95\n",
        RATE + "chf,2024,0.950\nCHF,2023,0.97\n",
        RATE + "USD,2024,1.08\nCHF,2024,0.96\n",
        "a.csv row 1 and c.csv row 2: of chf, 2024, units_per_eur is 0.95 and 0.96",
    ),
}


def compared(folder: Path, kind: str, of: str, *texts: str, **of_last: Any) -> list[str]:
    files = []
    for name, text in zip("abc", texts, strict=False):
        path = folder / f"{name}.csv"
        path.write_text(text)
        files.append(SeedRows(path.name, kind, of, path, {}, ""))
    if of_last:
        last = files.pop()
        files.append(SeedRows(last.name, kind, of, last.path, of_last["mapping"], ""))
    return differing_sentences(files)


@pytest.mark.parametrize(("kind", "of"), FILES)
def test_files_that_say_the_same_stand_beside_each_other_and_others_are_told(
    tmp_path: Path, kind: str, of: str
) -> None:
    first, same, other, said = FILES[kind, of]
    assert compared(tmp_path, kind, of, first, same) == []
    [found] = compared(tmp_path, kind, of, first, same, other)
    assert found.startswith(said)


def test_a_file_is_read_with_its_mapping_and_one_that_cannot_be_read_is_its_jobs_matter(
    tmp_path: Path,
) -> None:
    units, _, other, said = FILES["units", ""]
    foreign = other.replace("name", "Bezeichnung")
    assert compared(tmp_path, "units", "", units, "nothing\n1\n", foreign) == []
    mapping = {"columns": {"Bezeichnung": "name"}}
    assert compared(tmp_path, "units", "", units, "nothing\n1\n", foreign, mapping=mapping) == [
        said
    ]


def test_a_parent_is_compared_where_both_files_say_it(tmp_path: Path) -> None:
    said = "unit_institutional_id,name,parent_unit_id\n0828,Physics,{}\n0829,Chemistry,\n"
    files = (said.format("0829"), UNIT + "0828,Physics\n", said.format(""))
    assert compared(tmp_path, "units", "", *files) == [
        "a.csv row 1 and c.csv row 1: of 0828, parent_unit_id is 0829 and empty"
    ]
