"""Factors, places, rows and units of another program: the same ledger as under our own names."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from carbonline.client.json_struct import values_of
from tests.worker_service.steps.conftest import YEAR, WorkerHarness
from tests.worker_service.steps.test_load_check import OF_PLANES, check_and_load, job_of
from worker_service.ledger.load_mappings import MappingsRound, delete_load_mappings

OURS = (
    "category,cabin_class,ef_kg_co2eq_per_km,rfi_adjustment,min_distance,max_distance\n"
    "all,first,0.4,1.5,0,1000\nall,first,0.3,1.5,1000,\n"
)
THEIRS = (
    "Gruppe;Klasse;Faktor;Zuschlag;Von km;Bis km\n"
    "all;first;0,4;1,5;0;1.000\nall;first;0,3;1,5;1.000;\n"
)
# Of each kind: the jobs, the scope, the payload, a file in our words, in theirs, and what it says.
KINDS: Mapping[str, tuple[tuple[str, str], Mapping[str, Any], Mapping[str, Any], str, str]] = {
    "factors": (
        ("factor_check", "factor_ingest"),
        OF_PLANES,
        {},
        OURS,
        THEIRS,
    ),
    "places": (
        ("reference_check", "reference_ingest"),
        {"reference_kind": "locations"},
        {"transport_mode": "plane"},
        "iata,name,country,latitude,longitude\nZRH,Zurich,CH,47.458,8.5481\n",
        "Code;Ort;Land;Breite;Länge\nZRH;Zurich;CH;47,458;8,5481\n",
    ),
    "rates": (
        ("reference_check", "reference_ingest"),
        {"reference_kind": "rates"},
        {},
        "currency,year,units_per_eur\nCHF,2024,0.9526\n",
        "Währung;Jahr;Kurs\nCHF;2024;0,9526\n",
    ),
    "rooms": (
        ("reference_check", "reference_ingest"),
        {"reference_kind": "rooms"},
        {},
        "building_name,room_name,surface_m2\nCE,CE 1 100,1000.5\n",
        "Gebäude;Raum;Fläche\nCE;CE 1 100;1.000,5\n",
    ),
    "units": (
        ("unit_check", "unit_sync"),
        {"year": YEAR},
        {},
        "unit_institutional_id,name,parent_unit_id\nSCI,Sciences,\n0900,Chemistry,SCI\n",
        "Kostenstelle;Bezeichnung;Über\nSCI;Sciences;\n0900;Chemistry;SCI\n",
    ),
}
ROWS: Mapping[str, str] = {
    "factors": "SELECT kind, subkind, factor_values FROM carbon.factors"
    " WHERE removed_at IS NULL AND subkind = 'first' ORDER BY classification",
    "places": "SELECT code, name, country, latitude, longitude FROM carbon.locations"
    " WHERE code = 'zrh'",
    "rates": "SELECT key, year, data FROM carbon.reference_rows WHERE kind = 'rates'",
    "rooms": "SELECT key, year, data FROM carbon.reference_rows WHERE kind = 'rooms'",
    "units": "SELECT unit, name, parent_key FROM carbon.units ORDER BY unit_key",
}


GO_AS_OLD_VERSIONS = """
DELETE FROM carbon.factor_versions AS o USING carbon.factor_versions AS n
WHERE n.factor_id = o.factor_id AND n.version > o.version
"""


def mapping_of(kind: str) -> dict[str, Any]:
    *_, ours, theirs = KINDS[kind]
    names = ours.splitlines()[0].split(","), theirs.splitlines()[0].split(";")
    return {"columns": dict(zip(names[1], names[0], strict=True)), "decimal": "comma"}


async def rows(harness: WorkerHarness, kind: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await harness.rows(ROWS[kind])]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_of_another_program_is_checked_and_loaded_as_our_own(
    harness: WorkerHarness, kind: str
) -> None:
    jobs, scope, payload, ours, theirs = KINDS[kind]
    foreign = {**payload, "mapping": mapping_of(kind)}
    said, loaded = await check_and_load(harness, jobs, theirs, foreign, **scope)
    assert (said["rows_rejected"], loaded.error_cause) == (0, "")
    there = await rows(harness, kind)
    assert there
    again = await job_of(harness, jobs[1], ours, payload, **scope)
    assert await rows(harness, kind) == there
    stats = values_of(again.stats)
    changes = ("factors_changed", "places_new", "places_changed", "rows_new", "units_changed")
    assert [stats[name] for name in changes if stats.get(name)] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_the_mapping_stands_with_the_job(harness: WorkerHarness, kind: str) -> None:
    jobs, scope, payload, _, theirs = KINDS[kind]
    foreign = {**payload, "mapping": mapping_of(kind)}
    loaded = await job_of(harness, jobs[1], theirs, foreign, **scope)
    kept = (await harness.client.get_job(loaded.job_id)).payload
    assert values_of(kept)["mapping"] == mapping_of(kind)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_mapping_stands_with_what_was_loaded(harness: WorkerHarness, kind: str) -> None:
    jobs, scope, payload, ours, theirs = KINDS[kind]
    foreign = {**payload, "mapping": mapping_of(kind)}
    await job_of(harness, jobs[0], theirs, foreign, **scope)
    assert await kept(harness) == []
    loaded = await job_of(harness, jobs[1], theirs, foreign, **scope)
    await job_of(harness, jobs[1], ours, payload, **scope)
    [(token, mapping)] = await kept(harness)
    assert (token, json.loads(mapping)) == (loaded.claim_token, mapping_of(kind))
    # All that it brought is there yet, whoever has published since.
    assert (await delete_load_mappings(harness.ledger, "local", 0)).gone == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_a_mapping_goes_with_the_last_of_what_it_brought(
    harness: WorkerHarness, kind: str
) -> None:
    jobs, scope, payload, ours, theirs = KINDS[kind]
    await job_of(harness, jobs[1], theirs, {**payload, "mapping": mapping_of(kind)}, **scope)
    for before, after in {"0.4": "0.5", "0.3": "0.6", "0.9526": "1", "1000.5": "9"}.items():
        ours = ours.replace(before, after)
    for name in ("Zurich", "Sciences", "Chemistry"):
        ours = ours.replace(name, f"{name} II")
    other = await job_of(harness, jobs[1], ours, payload, **scope)
    assert other.error_cause == "", other
    # A claim that has just passed a fence may publish again, and then names its mapping.
    at_work = other.claim_token + 1_000
    await harness.rows("UPDATE carbon.write_fences SET newest_token = $1", at_work)
    await harness.rows("INSERT INTO carbon.load_mappings VALUES ('local', $1, '{}')", at_work)
    if kind == "factors":
        assert (await delete_load_mappings(harness.ledger, "local", 0)).gone == 0
        await harness.rows(GO_AS_OLD_VERSIONS)
    assert await delete_load_mappings(harness.ledger, "other", 0) == MappingsRound(0, None)
    assert await delete_load_mappings(harness.ledger, "local", 0) == MappingsRound(1, None)
    assert [token for token, _ in await kept(harness)] == [at_work]


async def kept(harness: WorkerHarness) -> list[tuple[int, str]]:
    async with harness.ledger.session() as conn:
        found = await conn.fetch("SELECT claim_token, mapping FROM carbon.load_mappings")
    return [(row["claim_token"], row["mapping"]) for row in found]


async def test_a_refused_file_of_factors_proposes_how_to_read_it(harness: WorkerHarness) -> None:
    text = (
        "Category;Cabin class;EF kg CO2eq per km;RFI adjustment;Min distance;Max distance\n"
        "all;first;0,4;1,5;0;\n"
    )
    proposed: dict[str, Any] = {}
    for job_type in ("factor_ingest", "factor_check"):
        job = await job_of(harness, job_type, text, {}, **OF_PLANES)
        assert job.error_cause == "missing_columns"
        proposed = values_of(job.stats)["proposed_mapping"]
        assert proposed["columns"]["EF kg CO2eq per km"] == "ef_kg_co2eq_per_km"
        assert proposed["decimal"] == "comma"
        assert "If that is what it means, submit it with `--map " in job.message
    loaded = await job_of(harness, "factor_ingest", text, {"mapping": proposed}, **OF_PLANES)
    assert loaded.error_cause == ""


async def test_a_check_proposes_the_decimal_mark_that_rejected_rows_need(
    harness: WorkerHarness,
) -> None:
    text = 'iata,latitude,longitude\nZRH,"47,458","8,5481"\nBSL,47,"7,5292"\n'
    payload, scope = {"transport_mode": "plane"}, {"reference_kind": "locations"}
    job = await job_of(harness, "reference_check", text, payload, **scope)
    stats = values_of(job.stats)
    assert (stats["rows_rejected"], stats["proposed_mapping"]) == (2, {"decimal": "comma"})
    loaded = await job_of(harness, "reference_ingest", text, payload, **scope)
    assert "proposed_mapping" not in values_of(loaded.stats)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_wrong_mapping_ends_in_a_sentence_and_changes_nothing(
    harness: WorkerHarness, kind: str
) -> None:
    jobs, scope, payload, _, theirs = KINDS[kind]
    before = await rows(harness, kind)
    wrong = {**mapping_of(kind), "columns": {"x": "hammock"}}
    for job_type in jobs:
        job = await job_of(harness, job_type, theirs, {**payload, "mapping": wrong}, **scope)
        assert (job.error_cause, job.message[:34]) == (
            "mapping",
            "The mapping names a column hammock",
        )
    assert await rows(harness, kind) == before
