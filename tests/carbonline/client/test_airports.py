"""The airports that the package ships, as a file of places."""

import csv

from carbonline.client.airports import airport_rows


async def test_airports_are_a_locations_file() -> None:
    text = b"".join([chunk async for chunk in airport_rows()]).decode()
    rows = list(csv.DictReader(text.splitlines()))
    assert list(rows[0]) == ["iata", "name", "country", "latitude", "longitude"]
    by_code = {row["iata"]: row for row in rows}
    assert len(by_code) == len(rows) > 7000
    assert by_code["GVA"]["country"] == "CH"
    assert abs(float(by_code["GVA"]["latitude"]) - 46.238) < 0.01
