"""A code that no key in capitals stands for comes back as its file has it."""

import json

import polars as pl

from tests.worker_service.carbon.plane_files import (
    COLUMNS,
    GOOD,
    PLANE,
    SCOPE,
    csv_of,
    opening,
)
from worker_service.carbon.parse.entries import read_entries
from worker_service.carbon.stored import stored_entries, with_spellings
from worker_service.ledger_api.uncomputed import stored_columns
from worker_service.steps.shared_rows import digest_chunk


def kept(*ends: tuple[str, str]) -> tuple[pl.DataFrame, list[dict[str, str]]]:
    """The stored rows without the texts, and with them the columns that people see."""
    rows = [{**GOOD, "origin_iata": one, "destination_iata": other} for one, other in ends]
    [batch, *_] = read_entries(PLANE, opening(csv_of(COLUMNS, rows)), SCOPE).batches
    stored = stored_entries(PLANE, batch.accepted)
    kept = with_spellings(stored, batch.spellings).drop("row_number", "unit")
    return stored, [
        stored_columns(PLANE.id, {**json.loads(row.pop("extra") or "{}"), **row})
        for row in kept.to_dicts()
    ]


def test_a_code_is_shown_as_written_unless_its_capitals_say_it() -> None:
    _, seen = kept(("GVA", "cdg"), (" Geneva ", "CDG"), ("GVA", 'Wie"n, VIE'), ("LhrX", "Zürich"))
    assert [(one["origin_iata"], one["destination_iata"]) for one in seen] == [
        ("GVA", "CDG"),
        ("Geneva", "CDG"),
        ("GVA", 'Wie"n, VIE'),
        ("LhrX", "Zürich"),
    ]
    names = {"origin_iata", "destination_iata", "user_institutional_id", "cabin_class"}
    assert all(set(one) == {*names, "number_of_trips"} for one in seen)


def test_rows_that_differ_in_the_spelling_of_a_code_are_the_same() -> None:
    one, other = (kept(("GVA", name))[0] for name in ("Geneva", "GENEVA"))
    assert digest_chunk(PLANE, 1, one).digests == digest_chunk(PLANE, 1, other).digests


def test_nothing_is_kept_where_capitals_say_all() -> None:
    [batch, *_] = read_entries(PLANE, opening(csv_of(COLUMNS, [GOOD])), SCOPE).batches
    assert batch.spellings is None
