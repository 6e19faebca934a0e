"""The catalogue, its templates and descriptions, and the stored form of entries."""

import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carbonline.v1 import types_pb2
from protos.generate_catalogue import MODULES_TARGET, declared_modules
from tests.worker_service.carbon.plane_files import (
    GOOD,
    PLANE,
    SCOPE,
    emissions_of,
    entries_of,
    opening,
    parsed,
)
from worker_service.carbon.catalogue import (
    MODULES,
    NotSupported,
    declaration,
    module_by_id,
    module_of,
    type_by_id,
)
from worker_service.carbon.declarations import (
    COMMON_COLUMNS,
    OVERRIDE_KEY,
    DataEntryType,
    UndeclaredType,
)
from worker_service.carbon.describe import (
    describe_catalogue,
    describe_type,
    factor_template,
    template,
)
from worker_service.carbon.emission_tree import SCOPES
from worker_service.carbon.parse.entries import EntryScope, read_entries
from worker_service.carbon.parse.factors import read_factors
from worker_service.carbon.stored import json_objects, stored_entries, stored_keys

_DECLARED = [t for m in MODULES for t in m.types if isinstance(t, DataEntryType)]


def test_modules_and_their_types_are_those_of_the_contract() -> None:
    declared = {(m.name, m.id): [(known.name, known.id) for known in m.types] for m in MODULES}
    named: dict[tuple[str, int], list[tuple[str, int]]] = {
        (one.name.removeprefix("MODULE_").lower(), one.number): []
        for one in types_pb2.Module.DESCRIPTOR.values[1:]
    }
    modules = {number: types for (_, number), types in named.items()}
    for one in types_pb2.DataEntryType.DESCRIPTOR.values[1:]:
        name = one.name.removeprefix("DATA_ENTRY_TYPE_").lower()
        modules[one.GetOptions().Extensions[types_pb2.of_module]].append((name, one.number))
    assert declared == named


def test_the_files_of_the_declarations_are_listed_by_the_contract() -> None:
    assert MODULES_TARGET.read_text("utf-8") == declared_modules(), "run `make protos`"


@pytest.mark.parametrize("declared", _DECLARED, ids=lambda t: t.name)
def test_a_declaration_reads_the_reference_data_that_the_contract_names(
    declared: DataEntryType,
) -> None:
    named = types_pb2.DataEntryType.DESCRIPTOR.values_by_number[declared.id]
    kinds = named.GetOptions().Extensions[types_pb2.reads_reference]
    assert sorted(declared.references) == sorted(kinds)
    reads_totals = named.GetOptions().Extensions[types_pb2.reads_totals]
    assert reads_totals == (declared.unit_sums is not None)
    # A set of emissions keeps one number for what its formula reads.
    assert not (reads_totals and kinds)


def test_what_is_not_declared_is_refused_by_name() -> None:
    assert declaration(30) is type_by_id(30)
    assert module_of(30).name == "buildings"
    with pytest.raises(NotSupported, match="no data-entry type 99"):
        declaration(99)
    with pytest.raises(NotSupported, match="no data-entry type 99"):
        module_of(99)
    with pytest.raises(NotSupported, match="no module 99"):
        module_by_id(99)


@pytest.mark.parametrize("declared", _DECLARED, ids=lambda t: t.name)
def test_a_declaration_names_columns_once_and_says_where_it_comes_from(
    declared: DataEntryType,
) -> None:
    names = [column.name for column in (*declared.columns, *COMMON_COLUMNS)]
    assert len(names) == len(set(names))
    assert all(name == name.strip().casefold() for name in names)
    assert declared.formula.version
    assert declared.formula.written
    assert declared.formula.source


@pytest.mark.parametrize("declared", _DECLARED, ids=lambda t: t.name)
def test_the_template_is_a_file_that_is_accepted_without_a_warning(
    declared: DataEntryType,
) -> None:
    of_one_unit = EntryScope(SCOPE.year, SCOPE.units, unit="0828")
    for content, scope in (
        (template(declared), SCOPE),
        (template(declared, per_year=False), of_one_unit),
    ):
        [batch, late] = read_entries(declared, opening(content), scope).batches
        assert batch.rejected.is_empty()
        assert batch.accepted.height == 1
        assert batch.warned.is_empty()
        assert late.warned.is_empty()
    factors = read_factors(declared, opening(factor_template(declared)))
    assert factors.accepted.height == 1
    assert factors.warnings.is_empty()


def test_a_template_begins_with_the_columns_that_are_needed() -> None:
    assert template(PLANE).startswith("unit_institutional_id,origin_iata,destination_iata,")


def test_the_catalogue_describes_what_is_supported_and_names_the_rest() -> None:
    described = {t.name: t for module in describe_catalogue() for t in module.types}
    assert [name for name, t in described.items() if t.supported] == [
        declared.name for declared in _DECLARED
    ]
    unknown = describe_type(UndeclaredType(99, "later"))
    assert (unknown.supported, unknown.columns) == (False, ())
    plane = described["plane"]
    assert plane == describe_type(PLANE)
    required = [column.required for column in plane.columns]
    assert required == sorted(required, reverse=True)
    rules = {column.name: column.rule for column in plane.columns}
    assert rules["number_of_trips"] == "a whole number, at least 1"
    assert rules["cabin_class"] == (
        "one of economy, premium_economy, business, first, average (any value if kg_co2eq is given)"
    )
    assert plane.formula_version == PLANE.formula.version


def test_everything_that_plane_books_on_is_in_the_tree() -> None:
    rows = [{**GOOD, "cabin_class": cabin, "kg_co2eq": 1} for cabin in ("economy", "first", "?")]
    assert set(emissions_of(rows).emissions["emission_type"]) <= set(SCOPES)


def test_the_stored_form_keeps_values_note_and_override() -> None:
    rows: list[dict[str, object]] = [
        {**GOOD},
        {**GOOD, "kg_co2eq": 0, "note": 'a "b",\n"c":null', "departure_date": "2024-05-01"},
    ]
    stored = stored_entries(PLANE, parsed(rows).accepted)
    plain = {
        "origin_iata": "gva",
        "destination_iata": "cdg",
        "user_institutional_id": "1",
        "cabin_class": "economy",
        "departure_date": None,
        "note": None,
        "number_of_trips": 1.0,
        "distance_km": None,
        OVERRIDE_KEY: None,
        "extra": None,
    }
    assert stored.drop("row_number", "unit").to_dicts() == [
        plain,
        {
            **plain,
            "departure_date": "2024-05-01",
            "note": 'a "b",\n"c":null',
            OVERRIDE_KEY: 0.0,
        },
    ]


def test_what_computing_reads_comes_back_from_the_stored_form() -> None:
    entries = entries_of(parsed([GOOD, {**GOOD, "kg_co2eq": 0}]).accepted)
    assert entries.columns == [
        "entry_set",
        "row_number",
        "unit",
        *stored_keys(PLANE),
    ]
    assert entries[OVERRIDE_KEY].to_list() == [None, 0.0]
    assert entries["number_of_trips"].to_list() == [1, 1]


_JSON_TEXT = st.text(st.sampled_from('a":,{}null\\\n\x01é'), max_size=12)


@settings(deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | _JSON_TEXT,
            st.none() | _JSON_TEXT,
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
        ),
        max_size=6,
    )
)
def test_json_objects_hold_every_value_that_is_not_null(
    rows: list[tuple[str | None, str | None, float | None]],
) -> None:
    schema = {"a": pl.String, "b": pl.String, "n": pl.Float64}
    texts = json_objects(pl.DataFrame(rows, schema=schema, orient="row"))
    wanted = [{k: v for k, v in zip("abn", row, strict=True) if v is not None} for row in rows]
    assert [json.loads(text) for text in texts] == wanted
