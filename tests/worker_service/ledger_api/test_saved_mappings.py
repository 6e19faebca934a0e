"""Mappings under names: saved, replaced, listed and deleted, each tenant's own."""

from collections.abc import Mapping
from typing import Any

import pytest
from google.protobuf import json_format

from carbonline.serving import pages
from carbonline.v1 import mappings_pb2, types_pb2
from tests.worker_service.ledger_api.conftest import Client, as_caller, refused
from worker_service.ledger import saved_mappings

PLANE, TRAIN = types_pb2.DATA_ENTRY_TYPE_PLANE, types_pb2.DATA_ENTRY_TYPE_TRAIN
MAPPING: Mapping[str, Any] = {
    "columns": {"Von": "origin_iata", "Kostenstelle": "unit_institutional_id", "Zeit": ""},
    "constants": {"note": "agency"},
    "values": {"cabin_class": {"Eco Flex": "economy"}},
    "decimal": "comma",
    "dates": "dd.mm.yyyy",
}


def saving(
    name: str, mapping: Mapping[str, Any] = MAPPING, kind: int = PLANE
) -> mappings_pb2.SaveMappingRequest:
    request = mappings_pb2.SaveMappingRequest(
        name=name, data_entry_type=types_pb2.DataEntryType.ValueType(kind)
    )
    request.mapping.update(mapping)
    return request


async def save(client: Client, *saved: Any, caller: str = "local", **given: Any) -> Any:
    request = saving(*saved, **given)
    return await client.ledger.SaveMapping(request, metadata=as_caller(caller))


async def listed(client: Client, caller: str = "local", **wanted: Any) -> list[Any]:
    request = mappings_pb2.ListMappingsRequest(**wanted)
    answer = await client.ledger.ListMappings(request, metadata=as_caller(caller))
    return list(answer.mappings)


async def delete(client: Client, name: str, kind: int = PLANE, caller: str = "local") -> bool:
    request = mappings_pb2.DeleteMappingRequest(
        name=name, data_entry_type=types_pb2.DataEntryType.ValueType(kind)
    )
    answer = await client.ledger.DeleteMapping(request, metadata=as_caller(caller))
    return bool(answer.deleted)


async def test_a_mapping_comes_back_as_a_payload_takes_it(book_client: Client) -> None:
    answer = await save(book_client, " Agency ")
    assert not answer.replaced
    [found] = await listed(book_client)
    assert found == answer.saved
    assert (found.name, found.data_entry_type, found.saved_by) == ("Agency", PLANE, "local")
    assert found.saved_at.ToDatetime().year >= 2024
    assert json_format.MessageToDict(found.mapping) == {**MAPPING, "name": "Agency"}


async def test_a_mapping_of_the_same_name_is_replaced_as_a_whole(book_client: Client) -> None:
    await save(book_client, "agency")
    assert (await save(book_client, "AGENCY", {"decimal": "point"})).replaced
    [found] = await listed(book_client)
    assert json_format.MessageToDict(found.mapping) == {"decimal": "point", "name": "AGENCY"}


async def test_a_listed_mapping_is_saved_under_another_name(book_client: Client) -> None:
    saved = (await save(book_client, "agency")).saved
    request = saving("copy", {})
    request.mapping.CopyFrom(saved.mapping)
    await book_client.ledger.SaveMapping(request)
    names = [(one.name, one.mapping["name"]) for one in await listed(book_client)]
    assert names == [("agency", "agency"), ("copy", "copy")]


async def test_tenants_and_types_have_mappings_of_their_own(book_client: Client) -> None:
    await save(book_client, "agency")
    await save(book_client, "agency", {"decimal": "comma"}, TRAIN)
    await save(book_client, "agency", {"decimal": "point"}, caller="other")
    ours = [(one.data_entry_type, one.mapping["decimal"]) for one in await listed(book_client)]
    assert ours == [(PLANE, "comma"), (TRAIN, "comma")]
    [theirs] = await listed(book_client, "other")
    assert (theirs.mapping["decimal"], theirs.saved_by) == ("point", "other")
    assert await delete(book_client, "Agency ")
    assert not await delete(book_client, "agency")
    assert [one.data_entry_type for one in await listed(book_client)] == [TRAIN]
    assert await listed(book_client, "other") == [theirs]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["a", "b", "a"]),
        ({"data_entry_type": PLANE}, ["a", "b"]),
        ({"name": " A "}, ["a", "a"]),
        ({"data_entry_type": TRAIN, "name": "b"}, []),
    ],
)
async def test_mappings_are_found(
    book_client: Client, wanted: dict[str, Any], names: list[str]
) -> None:
    for name, kind in (("b", PLANE), ("a", TRAIN), ("a", PLANE)):
        await save(book_client, name, {"decimal": "comma"}, kind)
    assert [one.name for one in await listed(book_client, **wanted)] == names


async def test_mappings_come_page_by_page(
    book_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await save(book_client, f"agency {number}", {"decimal": "comma"})
    names, token = [], ""
    while True:
        request = mappings_pb2.ListMappingsRequest(page_size=2, page_token=token)
        page = await book_client.ledger.ListMappings(request)
        names.append([one.name for one in page.mappings])
        if not (token := page.next_page_token):
            break
    assert names == [["agency 0", "agency 1"], ["agency 2", "agency 3"], ["agency 4"]]
    monkeypatch.setattr(pages, "ANSWER_BYTES_MAX", 1)
    page = await book_client.ledger.ListMappings(mappings_pb2.ListMappingsRequest())
    assert (len(page.mappings), bool(page.next_page_token)) == (1, True)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (saving(""), "name: is required"),
        (saving("a\u200bb"), "name: must be a name of at most 64 characters"),
        (saving("x" * 65), "name: has 65 characters: at most 64 allowed"),
        (saving("a", kind=0), "data_entry_type: is required"),
        (saving("a", kind=9_999), "data_entry_type: must be one of"),
        (saving("a", {}), "mapping: is required"),
        (saving("a", {"name": "b"}), "mapping: is required"),
        (saving("a", {"colums": {}}), "mapping.colums: is unknown"),
        (saving("a", {"dates": "yyyy/dd/mm"}), "mapping.dates: must be how a day is written"),
        (saving("a", {"columns": {"Von": "origin"}}), "did you mean origin_iata?"),
        (
            saving("a", {"columns": {"Von": "note", "Nach": "note"}}),
            "mapping: reads two columns as note: Nach and Von",
        ),
        (
            saving("a", {"values": {"cabin_class": {"Eco": "hammock"}}}),
            "mapping: reads Eco as hammock in cabin_class",
        ),
        (
            saving("a", {"values": {"cabin_class": {"Eco": "economy", "ECO": "first"}}}),
            "mapping: reads one text as two choices in cabin_class: ECO as first and Eco as",
        ),
        (
            saving("a", {"constants": {"cabin_class": "hammock"}}),
            "mapping: sets cabin_class to hammock, and it must be one of economy",
        ),
        (saving("a", {"columns": {"A": "note", "A ": ""}}), "mapping.columns: has a name twice"),
        (saving("a", {"columns": {"a": "note", "A": ""}}), "names one column of the file twice"),
    ],
)
async def test_what_no_file_of_the_type_can_have_is_not_saved(
    book_client: Client, request_: mappings_pb2.SaveMappingRequest, said: str
) -> None:
    error = await refused(book_client.ledger.SaveMapping(request_))
    assert (error.reason, said in error.message) == ("FIELD_INVALID", True), error
    assert await listed(book_client) == []


async def test_a_check_says_what_saving_would_and_saves_nothing(book_client: Client) -> None:
    checked = saving("")
    checked.check_only = True
    assert await book_client.ledger.SaveMapping(checked) == mappings_pb2.SaveMappingResponse()
    checked.mapping.update({"decimal": "dot", "name": " "})
    error = await refused(book_client.ledger.SaveMapping(checked))
    assert "mapping.decimal: must be one of" in error.message
    assert "mapping.name: must be a name" in error.message
    checked = saving("", {"columns": {"Von": "origin"}})
    checked.check_only = True
    error = await refused(book_client.ledger.SaveMapping(checked))
    assert "mapping: names a column origin that files of this type do not have" in error.message
    assert await listed(book_client) == []


async def test_there_is_an_end_to_mappings_and_those_that_are_there_can_be_replaced(
    book_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker_service.ledger.saved_mappings.MAPPINGS_MAX", 2)
    assert saved_mappings.MAPPINGS_MAX == 2
    for name in ("a", "b"):
        await save(book_client, name)
    error = await refused(save(book_client, "c"))
    assert (error.reason, "is one too many" in error.message) == ("FIELD_INVALID", True), error
    assert (await save(book_client, "a", {"decimal": "point"})).replaced
    await save(book_client, "a", kind=TRAIN, mapping={"decimal": "comma"})
    assert len(await listed(book_client)) == 3


OF_KINDS: Mapping[str, tuple[int, str]] = {
    "factors": (PLANE, "ef_kg_co2eq_per_km"),
    "units": (0, "parent_unit_id"),
    "locations": (0, "iata"),
    "rates": (0, "units_per_eur"),
    "rooms": (0, "surface_m2"),
}


def of_kind(file_kind: str, kind: int, column: str) -> mappings_pb2.SaveMappingRequest:
    request = saving("agency", {"columns": {"Theirs": column}}, kind)
    request.file_kind = file_kind
    return request


async def test_places_of_a_mode_have_its_columns_alone(book_client: Client) -> None:
    def asked(file_kind: str, column: str, mode: str) -> mappings_pb2.SaveMappingRequest:
        request = of_kind(file_kind, 0, column)
        request.transport_mode = mode
        return request

    named = asked("locations", "iata", "")
    named.mapping.get_or_create_struct("constants").update({"name": "", "latitude": "91"})
    wrong_place = await refused(book_client.ledger.SaveMapping(named))
    assert "sets latitude to 91" in wrong_place.message
    for column, mode in (("iata", ""), ("iata", "plane"), ("country", "train")):
        await book_client.ledger.SaveMapping(asked("locations", column, mode))
    for wrong, said in (
        (asked("locations", "iata", "train"), "mapping: names a column iata that files"),
        (asked("locations", "iata", "ship"), "transport_mode: must be one of plane, train"),
        (asked("units", "name", "train"), "transport_mode: must be left out: files of units"),
    ):
        error = await refused(book_client.ledger.SaveMapping(wrong))
        assert (error.reason, said in error.message) == ("FIELD_INVALID", True), error


async def test_each_kind_of_file_has_mappings_of_its_own(book_client: Client) -> None:
    await save(book_client, "agency", {"decimal": "comma"})
    for file_kind, (kind, column) in OF_KINDS.items():
        saved = await book_client.ledger.SaveMapping(of_kind(file_kind, kind, column))
        assert (saved.replaced, saved.saved.file_kind) == (False, file_kind)
        [found] = await listed(book_client, file_kind=file_kind, name="Agency")
        assert found == saved.saved
        assert found.mapping["columns"]["Theirs"] == column
    kinds = [(one.data_entry_type, one.file_kind) for one in await listed(book_client)]
    no_type = [(0, one) for one in ("locations", "rates", "rooms", "units")]
    assert kinds == [*no_type, (PLANE, "entries"), (PLANE, "factors")]
    pages_, token = [], ""
    while True:
        request = mappings_pb2.ListMappingsRequest(page_size=1, page_token=token)
        page = await book_client.ledger.ListMappings(request)
        pages_ += [(one.data_entry_type, one.file_kind) for one in page.mappings]
        if not (token := page.next_page_token):
            break
    assert pages_ == kinds
    gone = mappings_pb2.DeleteMappingRequest(name="agency", file_kind="units")
    assert (await book_client.ledger.DeleteMapping(gone)).deleted
    assert not (await book_client.ledger.DeleteMapping(gone)).deleted
    assert [one.file_kind for one in await listed(book_client)] == [
        "locations",
        "rates",
        "rooms",
        "entries",
        "factors",
    ]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (of_kind("trips", PLANE, "iata"), "file_kind: must be one of entries, factors, units"),
        (of_kind("units", PLANE, "name"), "data_entry_type: must be left out"),
        (of_kind("factors", 0, "iata"), "data_entry_type: is required"),
        (of_kind("factors", PLANE, "origin_iata"), "that files of this type do not have"),
        (of_kind("units", 0, "parent"), "that files of this type do not have"),
        (of_kind("rooms", 0, "units_per_eur"), "that files of this type do not have"),
    ],
)
async def test_what_no_file_of_the_kind_can_have_is_not_saved(
    book_client: Client, request_: mappings_pb2.SaveMappingRequest, said: str
) -> None:
    error = await refused(book_client.ledger.SaveMapping(request_))
    assert (error.reason, said in error.message) == ("FIELD_INVALID", True), error
    assert await listed(book_client) == []
