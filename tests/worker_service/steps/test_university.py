"""However the files of the invented university arrive, its totals are the same, exactly."""

import csv
import io
import random
import tomllib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import pytest

from carbonline.client.view import PipelineView
from carbonline.v1 import types_pb2
from tests.university.plain_account import FOLDER, rows_of
from tests.worker_service.steps.conftest import WorkerHarness
from worker_service.carbon.catalogue import module_of
from worker_service.carbon.emission_tree import EMISSION_TYPES, SCOPES
from worker_service.ledger.totals import TotalsReader

YEAR = 2024
UNIT = "unit_institutional_id"
MANIFEST = tomllib.loads((FOLDER / "seed.toml").read_text("utf-8"))
Row: TypeAlias = Mapping[str, str]
ROWS: Mapping[int, Sequence[Row]] = {
    types_pb2.DataEntryType.Value(f"DATA_ENTRY_TYPE_{one['type'].upper()}"): rows_of(
        one["file"].format(year=YEAR)
    )
    for one in MANIFEST["activity"]
    if YEAR in one["years"]
}
TYPES = list(ROWS)
WITHOUT_A_SOURCE = """
SELECT m.emission_set, m.row_number, m.emission_type
FROM carbon.emissions AS m
JOIN carbon.emission_sets AS s
    ON s.tenant = m.tenant AND s.emission_set = m.emission_set AND s.entry_set = m.entry_set
LEFT JOIN carbon.entry_sets AS u ON u.tenant = m.tenant AND u.entry_set = m.entry_set
LEFT JOIN carbon.entries AS e
    ON e.tenant = m.tenant AND e.entry_set = m.entry_set AND e.row_number = m.row_number
LEFT JOIN carbon.factor_versions AS f
    ON f.tenant = m.tenant AND f.factor_id = m.factor_id AND f.version = m.factor_version
WHERE s.state = 'PUBLISHED' AND (
    u.state IS DISTINCT FROM 'PUBLISHED' OR u.blob = '' OR e.row_number IS NULL
    OR s.formula_version = ''
    OR (NOT m.overridden AND coalesce(f.blob, '') = '')
    OR (m.overridden AND NOT (
        carbon.entry_values(e, u.text_keys, u.number_keys) ? '__kg_co2eq_override__'
    ))
)
"""
COUNTED = "SELECT count(*) FROM carbon.emissions AS m WHERE kg IS NOT NULL"
COUNTING = """
SELECT data_entry_type, entry_set FROM carbon.entry_sets
WHERE state = 'PUBLISHED' AND year = $1 ORDER BY entry_set
"""


def text_of(rows: Iterable[Row], *, without: str = "") -> str:
    found = [{key: one[key] for key in one if key != without} for one in rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(found)
    return text.getvalue()


def parts_of(rows: Sequence[Row], key: Callable[[int, Row], str]) -> Mapping[str, list[Row]]:
    """The rows by a key of each, which may be made of its number."""
    parts: defaultdict[str, list[Row]] = defaultdict(list)
    for number, row in enumerate(rows):
        parts[key(number, row)].append(row)
    return parts


class University:
    """The university on a harness: one year, all types."""

    def __init__(self, harness: WorkerHarness) -> None:
        self.harness = harness

    async def seed(self) -> None:
        """Units, places, factors, then activity data, as the manifest says."""
        await self.harness.load_units((FOLDER / "units.csv").read_bytes(), YEAR)
        for one in MANIFEST["locations"]:
            text = (FOLDER / one["file"]).read_text("utf-8")
            await self.harness.load_places(text, transport_mode=one["transport_mode"])
        rows = [
            await self.harness.submit(
                "reference_ingest", (FOLDER / one["file"]).read_bytes(), reference_kind=kind
            )
            for kind in ("rates", "rooms")
            for one in MANIFEST[kind]
        ]
        await self.ended(rows)
        factors = [
            await self.harness.submit(
                "factor_ingest",
                (FOLDER / one["file"].format(year=YEAR)).read_bytes(),
                **self.scope(
                    types_pb2.DataEntryType.Value(f"DATA_ENTRY_TYPE_{one['type'].upper()}")
                ),
            )
            for one in MANIFEST["factors"]
            if YEAR in one["years"]
        ]
        await self.ended(factors)
        await self.ended([await self.send(one, ROWS[one]) for one in TYPES])

    def scope(self, data_entry_type: int) -> Mapping[str, Any]:
        module = module_of(data_entry_type).id
        return {"module": module, "data_entry_type": data_entry_type, "year": YEAR}

    async def send(
        self, data_entry_type: int, rows: Iterable[Row], *, unit: str = "", **payload: str
    ) -> int:
        """A file of activity data on its way, of all units or of one."""
        return await self.harness.submit(
            "csv_ingest",
            text_of(rows, without=UNIT if unit else ""),
            payload=payload,
            **self.scope(data_entry_type),
            **({"unit": unit} if unit else {}),
        )

    async def ended(self, pipelines: Iterable[int]) -> None:
        for pipeline in pipelines:
            view: PipelineView = await self.harness.ended(pipeline)
            assert view.pipeline is not None
            assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()

    async def withdraw_all(self) -> None:
        """No upload counts any more."""
        pipelines = []
        for row in await self.harness.rows(COUNTING, YEAR):
            kind = row["data_entry_type"]
            of = {"module": module_of(kind).id, "data_entry_type": kind, "year": YEAR}
            answer = await self.harness.client.withdraw_upload(row["entry_set"], **of)
            pipelines.append(answer.pipeline_id)
        await self.ended(pipelines)

    async def totals(self) -> list[tuple[Any, ...]]:
        """All that the totals say, but when they were computed. Zeros are as good as nothing."""
        found = await TotalsReader(self.harness.ledger).read_totals("local", YEAR, None, None)
        return [
            (
                *(one.unit, one.module, one.scope1, one.scope2, one.scope3, one.total),
                *(one.by_emission_type, one.by_additional_value),
                *(one.entry_count, one.outcome_counts),
            )
            for one in found
            if one.entry_count
        ]


@pytest.fixture
async def university(idle_harness: WorkerHarness) -> AsyncIterator[University]:
    """The university, seeded, with a worker."""
    seeded = University(idle_harness)
    async with idle_harness.working():
        await seeded.seed()
        yield seeded


async def test_permuted_rows_and_the_same_rows_again_change_no_total(
    university: University,
) -> None:
    before = await university.totals()
    assert len({row[1] for row in before}) == 8, "every module has totals"
    shuffled = random.Random(11)
    await university.ended(
        [
            await university.send(one, shuffled.sample(list(rows), len(rows)))
            for one, rows in ROWS.items()
        ]
    )
    assert await university.totals() == before
    await university.ended([await university.send(one, rows) for one, rows in ROWS.items()])
    assert await university.totals() == before


async def test_files_of_units_and_of_sources_have_the_totals_of_one_file(
    university: University,
) -> None:
    before = await university.totals()
    await university.withdraw_all()
    assert await university.totals() == []
    await university.ended(
        [
            await university.send(one, part, unit=unit)
            for one, rows in ROWS.items()
            for unit, part in parts_of(rows, lambda _, row: row[UNIT]).items()
        ]
    )
    assert await university.totals() == before
    await university.withdraw_all()
    await university.ended(
        [
            await university.send(one, part, source=source)
            for one, rows in ROWS.items()
            for source, part in parts_of(rows, lambda n, _: f"agency {n % 3}").items()
        ]
    )
    assert await university.totals() == before


async def test_withdrawn_and_uploaded_again_every_emission_has_its_source(
    university: University,
) -> None:
    before = await university.totals()
    await university.withdraw_all()
    assert await university.totals() == []
    await university.ended([await university.send(one, rows) for one, rows in ROWS.items()])
    assert await university.totals() == before
    assert await university.harness.rows(WITHOUT_A_SOURCE) == []
    [[count]] = await university.harness.rows(COUNTED)
    assert count > sum(map(len, ROWS.values()))


async def test_totals_add_up_along_the_tree_and_over_scopes(university: University) -> None:
    for row in await university.totals():
        _, _, scope1, scope2, scope3, total, nodes, _, entries, outcomes = row
        assert scope1 + scope2 + scope3 == total
        assert sum(outcomes.values()) == entries
        for path, kg in nodes.items():
            parent = EMISSION_TYPES[path].parent
            assert parent is None or nodes[parent] >= kg * (1 - 1e-12)
            children = sum(nodes[one] for one in nodes if EMISSION_TYPES[one].parent == path)
            # An inner node may have kilograms of its own only if it has a GHG scope.
            assert kg == pytest.approx(children, rel=1e-12) or (path in SCOPES and kg >= children)
        roots = sum(kg for path, kg in nodes.items() if "." not in path)
        assert roots == pytest.approx(float(total), rel=1e-12)
