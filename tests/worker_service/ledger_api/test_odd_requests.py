"""Whatever comes, of whatever field: a documented answer, and the neighbours get theirs."""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import HealthCheck, given
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st

from carbonline.client.channel import MESSAGE_BYTES_MAX
from carbonline.client.contract_client import ContractClient as PersonsClient
from carbonline.client.errors import ServerError, server_error
from carbonline.client.json_struct import struct_of
from carbonline.serving.errors import CODES
from carbonline.serving.pages import page_token
from carbonline.v1 import (
    blobs_pb2,
    emissions_pb2,
    ledger_pb2,
    mappings_pb2,
    reference_pb2,
    types_pb2,
    upkeep_pb2,
)
from tests.carbonline.serving.odd_requests import bytes_like
from tests.carbonline.serving.oversized import must_be_bounded
from tests.worker_service.ledger_api.conftest import ALL_RPCS, Client, as_caller, refused, until

FILE = b"a,b\n1,2\n"
BLOB = "blob:sha256:" + hashlib.sha256(FILE).hexdigest()
HEADER = blobs_pb2.UploadBlobRequest(
    header=blobs_pb2.BlobHeader(
        scope=types_pb2.Scope(tenant="local", module=types_pb2.MODULE_PROFESSIONAL_TRAVEL),
        file_name="f.csv",
        expected_sha256=hashlib.sha256(FILE).hexdigest(),
    )
)
CHUNK = blobs_pb2.UploadBlobRequest(chunk=FILE)
# By method: nothing is wrong with these, one after the other.
GOOD: dict[str, list[Any]] = {
    "GetTotals": [
        ledger_pb2.GetTotalsRequest(
            year=2024, module=types_pb2.MODULE_PROFESSIONAL_TRAVEL, unit="0828"
        )
    ],
    "GetReport": [
        ledger_pb2.GetReportRequest(
            year=2024, module=types_pb2.MODULE_PROFESSIONAL_TRAVEL, unit="0828"
        )
    ],
    "ListUploads": [ledger_pb2.ListUploadsRequest(year=2024, unit="0828", source="b", page_size=1)],
    "ListEmissions": [
        emissions_pb2.ListEmissionsRequest(
            pipeline_id=3,
            upload_id=7,
            module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
            unit="0828",
            page_size=10,
            page_token=page_token(7, 1),
        )
    ],
    "ListUncomputed": [
        ledger_pb2.ListUncomputedRequest(
            year=2024,
            module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            unit="0828",
            outcome="no_factor",
            upload_id=7,
            page_size=10,
            page_token=page_token(20, 7, 1),
        )
    ],
    "ListFactors": [
        reference_pb2.ListFactorsRequest(
            year=2024,
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            stale_only=True,
            with_usage=True,
            page_size=10,
            page_token=page_token(7),
        )
    ],
    "ListLocations": [
        reference_pb2.ListLocationsRequest(
            transport_mode="plane",
            codes=["GVA", "CDG"],
            text="gen",
            with_usage=True,
            page_size=10,
            page_token=page_token("plane", "aaa"),
        )
    ],
    "ListReferenceRows": [
        reference_pb2.ListReferenceRowsRequest(
            kind="rates",
            keys=["CHF, 2024"],
            text="ch",
            year=2024,
            with_usage=True,
            page_size=10,
            page_token=page_token("aud, 2024"),
        )
    ],
    "ListUnits": [
        reference_pb2.ListUnitsRequest(
            units=["0828"],
            text="phys",
            with_usage=True,
            page_size=10,
            page_token=page_token("0827"),
        )
    ],
    "SaveMapping": [
        mappings_pb2.SaveMappingRequest(
            name="agency",
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            mapping=struct_of({"columns": {"Von": "origin_iata"}, "decimal": "comma"}),
        )
    ],
    "ListMappings": [
        mappings_pb2.ListMappingsRequest(
            data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE,
            name="agency",
            page_size=10,
            page_token=page_token(20, "entries", "a"),
        )
    ],
    "DeleteMapping": [
        mappings_pb2.DeleteMappingRequest(
            name="agency", data_entry_type=types_pb2.DATA_ENTRY_TYPE_PLANE
        )
    ],
    "VerifyLedger": [
        upkeep_pb2.VerifyLedgerRequest(
            year=2024,
            module=types_pb2.MODULE_PROFESSIONAL_TRAVEL,
            changed_since=Timestamp(seconds=1_700_000_000),
            page_size=10,
            page_token=page_token("emissions", 2024, 20, 7, 1),
        )
    ],
    "GetUncollected": [upkeep_pb2.GetUncollectedRequest(tenant="local")],
    "ListModules": [ledger_pb2.ListModulesRequest()],
    "UploadBlob": [HEADER, CHUNK],
    "DownloadBlob": [blobs_pb2.DownloadBlobRequest(blob=BLOB)],
    "StatBlob": [blobs_pb2.StatBlobRequest(blob=BLOB)],
}
METHODS = {method.rpartition("/")[2]: method for method in ALL_RPCS}
ODD_CALLS = st.lists(
    st.sampled_from(sorted(GOOD)).flatmap(
        lambda name: st.tuples(st.just(METHODS[name]), st.tuples(*map(bytes_like, GOOD[name])))
    ),
    min_size=1,
    max_size=8,
)
OddCalls = list[tuple[str, tuple[bytes, ...]]]
FUZZ: dict[str, Any] = {
    "deadline": None,
    "database": None,
    # One server for all examples: that the odd ones before did it no harm is the point.
    "suppress_health_check": list(HealthCheck),
}


def test_every_method_is_among_those_that_are_tried() -> None:
    assert GOOD.keys() == METHODS.keys()


@of_hypothesis(**FUZZ, derandomize=True, max_examples=40)
@given(ODD_CALLS)
async def test_whatever_comes_has_a_documented_answer(client: Client, calls: OddCalls) -> None:
    await answered_beside_neighbours(client, calls)


@pytest.mark.slow
@of_hypothesis(**FUZZ, max_examples=2_000)
@given(ODD_CALLS)
async def test_whatever_comes_at_length_has_a_documented_answer(
    client: Client, calls: OddCalls
) -> None:
    await answered_beside_neighbours(client, calls)


async def answered_beside_neighbours(client: Client, calls: OddCalls) -> None:
    """The odd calls and good ones, all at once."""
    await client.upload([FILE])
    downloaded, uploaded, totals, *_ = await asyncio.gather(
        client.download(BLOB),
        client.upload([FILE]),
        client.ledger.GetTotals(ledger_pb2.GetTotalsRequest(year=2024)),
        *(answered_as_documented(client, method, messages) for method, messages in calls),
    )
    assert b"".join(downloaded) == FILE
    assert uploaded.blob == BLOB
    assert not totals.module_totals


async def answered_as_documented(client: Client, method: str, messages: tuple[bytes, ...]) -> None:
    """OK, or an error of the table, which the code that it came with agrees to."""
    try:
        await answered(client, method, messages)
    except grpc.aio.AioRpcError as error:
        said = server_error(error)
        assert said.reason in CODES, f"{method} {said.code}: {said.message}"
        assert said.code == CODES[said.reason].name
        assert said.code not in {"INTERNAL", "UNKNOWN", "UNAVAILABLE"}


async def answered(client: Client, method: str, messages: tuple[bytes, ...]) -> Any:
    if len(messages) == 1:
        return await client.send_bytes(method, *messages)
    call: Any = client.channel.stream_unary(method)
    return await call(iter(messages), metadata=as_caller("local"))


@pytest.mark.parametrize("method", ALL_RPCS)
async def test_a_message_over_the_limit_is_refused_for_its_size(
    client: Client, method: str
) -> None:
    too_large = refused(client.send_bytes(method, b"\x0a" * (MESSAGE_BYTES_MAX + 1)))
    error, blob = await asyncio.gather(too_large, client.upload([FILE]))
    assert (error.code, error.reason, error.too_large) == ("RESOURCE_EXHAUSTED", "", True)
    assert blob.blob == BLOB


async def test_a_request_beyond_its_bound_is_refused_before_it_is_read(client: Client) -> None:
    for method in sorted(METHODS.keys() - {"UploadBlob"}):
        request = GOOD[method][0].SerializeToString()
        await must_be_bounded(client.channel, METHODS[method], request)


async def test_a_persons_client_says_at_once_that_a_message_is_too_large(
    client: Client, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path}/s"
    async with asyncio.timeout(10), PersonsClient(address, address) as person:
        with pytest.raises(ServerError) as raised:
            await person.get_totals(2024, unit="u" * (MESSAGE_BYTES_MAX + 1))
    assert raised.value.too_large


@pytest.mark.parametrize("name", [*GOOD])
async def test_a_deadline_of_a_millisecond_harms_no_neighbour(client: Client, name: str) -> None:
    await client.upload([FILE])
    data = tuple(message.SerializeToString() for message in GOOD[name])
    # In turn; what has no time at all is over before it is sent.
    timeouts = [0.0, 30.0, 0.001, 30.0] * 6
    tries = [code_within(client, name, data, seconds) for seconds in timeouts]
    codes = await asyncio.gather(*tries)
    assert set(codes[1::2]) == {grpc.StatusCode.OK}
    if name != "UploadBlob":
        # Of a stream that ends while it is sent, gRPC's client says this and that.
        assert grpc.StatusCode.DEADLINE_EXCEEDED in codes
        assert set(codes[::2]) <= {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
    assert b"".join(await client.download(BLOB)) == FILE
    await until(lambda: client.arriving() == -1)


async def code_within(
    client: Client, name: str, messages: tuple[bytes, ...], seconds: float
) -> grpc.StatusCode:
    """How a call ended that had so long."""
    method: Any
    match name:
        case "UploadBlob":
            method = client.channel.stream_unary(METHODS[name])
            call = method(iter(messages), timeout=seconds)
        case "DownloadBlob":
            method = client.channel.unary_stream(METHODS[name])
            call = method(*messages, timeout=seconds)
            with suppress(grpc.aio.AioRpcError):
                async for _ in call:
                    pass
        case _:
            method = client.channel.unary_unary(METHODS[name])
            call = method(*messages, timeout=seconds)
    code: grpc.StatusCode = await call.code()
    return code
