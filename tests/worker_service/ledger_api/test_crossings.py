"""Every RPC of the ledger process x every kind of caller: who is answered, denied, or told that
there is no such file.
"""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc.aio
import pytest

from carbonline.serving.logs import _log_to
from carbonline.v1 import blobs_pb2, blobs_pb2_grpc, types_pb2
from tests.carbonline.serving.crossings import (
    CALLERS,
    OWN,
    TRAVEL,
    UNIT,
    Asked,
    ByName,
    Caller,
    denials_in,
    expected,
    outcome_of,
)
from tests.worker_service.ledger_api.test_odd_requests import BLOB, CHUNK, FILE, GOOD, METHODS
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import Settings

SCOPE = types_pb2.Scope(tenant=OWN, module=TRAVEL, year=2024, unit=UNIT)
HEADER = blobs_pb2.UploadBlobRequest(header=blobs_pb2.BlobHeader(scope=SCOPE, file_name="f.csv"))
OPERATOR = Caller("operator", OWN, "everything")


@dataclass
class Site:
    """A ledger process with a file that was uploaded for UNIT in TRAVEL."""

    channel: grpc.aio.Channel
    logged: io.StringIO


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[Site]:
    logged = io.StringIO()
    async with (
        running_ledger(settings, _log_to(logged, "warning"), ByName()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        stub: Any = blobs_pb2_grpc.BlobServiceStub(channel)
        kept = await stub.UploadBlob(iter([HEADER, CHUNK]), metadata=OPERATOR.metadata)
        assert (kept.blob, kept.size_bytes) == (BLOB, len(FILE))
        yield Site(channel, logged)


def asked(method: str) -> Asked:
    """A good request about the tenant's own, as narrow as its fields allow."""
    if method == "UploadBlob":
        messages = [HEADER.SerializeToString(), CHUNK.SerializeToString()]
        return Asked(messages, (TRAVEL, UNIT), names_own=True)
    request = type(GOOD[method][0])()
    request.CopyFrom(GOOD[method][0])
    fields = request.DESCRIPTOR.fields_by_name
    for name, value in {"tenant": OWN, "module": TRAVEL, "unit": UNIT}.items():
        if name in fields:
            setattr(request, name, value)
    return Asked(
        [request.SerializeToString()],
        (TRAVEL, UNIT),
        names_own="tenant" in fields,
        is_concealed="blob" in fields,
    )


@pytest.mark.parametrize("method", sorted(METHODS))
async def test_every_rpc_answers_or_denies_every_kind_of_caller(site: Site, method: str) -> None:
    answers = {}
    for one in CALLERS:
        answers[one.name], _ = await outcome_of(site.channel, METHODS[method], asked(method), one)
    assert answers == {one.name: expected(METHODS[method], asked(method), one) for one in CALLERS}
    denied = [(name, method) for name, outcome in answers.items() if outcome != "answered"]
    assert denials_in(site.logged) == sorted(denied)
