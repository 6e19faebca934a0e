"""Callers with signed tokens at a real scheduler on a port: several tenants, roles, and expiry."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from carbonline.client.contract_client import ContractClient
from carbonline.client.errors import ServerError, server_error
from carbonline.client.watch import Final
from carbonline.serving.logs import _log_to
from carbonline.v1 import (
    operations_pb2,
    operations_pb2_grpc,
    scheduler_pb2,
    scheduler_pb2_grpc,
    types_pb2,
)
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.token_issuer import TokenIssuer

SECONDS = 20.0


@dataclass
class Site:
    """A scheduler that accepts the tokens of an issuer, and what it has logged."""

    scheduler: Any
    operations: Any
    channel: grpc.aio.Channel
    address: str
    issuer: TokenIssuer
    logged: io.StringIO

    def lines(self, event: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.logged.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]

    async def submit(self, **claims: Any) -> Any:
        request = scheduler_pb2.SubmitRequest(request_id=str(uuid4()), job_type="noop")
        return await self.scheduler.Submit(request, metadata=self.issuer.bearer(**claims))

    async def claim(self, **claims: Any) -> list[Any]:
        request = scheduler_pb2.ClaimRequest(
            worker_id=str(uuid4()),
            request_id=str(uuid4()),
            job_types=["noop"],
            max_jobs=10,
            build_id="test",
        )
        metadata = self.issuer.bearer(role="worker", **claims)
        return list((await self.scheduler.Claim(request, metadata=metadata)).jobs)

    async def finish_one(self) -> None:
        [job] = await self.claim()
        finish = scheduler_pb2.FinishRequest(
            worker_id=job.job.worker_id,
            job_id=job.job.job_id,
            claim_token=job.claim_token,
            result=types_pb2.JOB_RESULT_SUCCESS,
            written=types_pb2.WRITTEN_NOTHING,
        )
        await self.scheduler.Finish(finish, metadata=self.issuer.bearer(role="worker"))


@pytest.fixture
async def site(settings: Settings, tmp_path: Path) -> AsyncIterator[Site]:
    issuer, logged = TokenIssuer(tmp_path), io.StringIO()
    settings = replace(settings, address="127.0.0.1:0", tokens=issuer.settings)
    async with (
        running_server(settings, _log_to(logged, "info")) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield Site(
            scheduler_pb2_grpc.SchedulerServiceStub(channel),
            operations_pb2_grpc.OperationsServiceStub(channel),
            channel,
            f"127.0.0.1:{server.port}",
            issuer,
            logged,
        )


async def refusal_of(call: Any) -> tuple[str, str]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = server_error(refused.value)
    return error.code, error.reason


async def test_one_process_serves_many_tenants_and_claims_hand_out_only_ones_own(
    site: Site,
) -> None:
    north, south = await site.submit(), await site.submit(tenants=["south"])
    assert await site.claim(tenants=["east"]) == []
    [job] = await site.claim(tenants=["south"])
    assert (job.job.pipeline_id, job.job.scope.tenant) == (south.pipeline_id, "south")
    await site.submit(tenants=["south"])
    both = await site.claim(tenants=["north", "south"])
    assert {one.job.scope.tenant for one in both} == {"north", "south"}
    assert north.job_id in {one.job.job_id for one in both}


async def test_a_denial_is_logged_with_the_principal(site: Site) -> None:
    own = await site.submit()
    request = operations_pb2.GetPipelineRequest(pipeline_id=own.pipeline_id)
    call = site.operations.GetPipeline(
        request, metadata=site.issuer.bearer(sub="eve", tenants=["south"])
    )
    assert await refusal_of(call) == ("PERMISSION_DENIED", "OTHER_TENANT")
    cancel = operations_pb2.CancelPipelineRequest(pipeline_id=own.pipeline_id)
    call = site.operations.CancelPipeline(
        cancel, metadata=site.issuer.bearer(sub="mona", role="monitor")
    )
    assert await refusal_of(call) == ("PERMISSION_DENIED", "PERMISSION_DENIED")
    denied = [
        (line["principal"], line["method"].rpartition("/")[2], line["reason"])
        for line in site.lines("call_denied")
    ]
    assert denied == [
        ("eve", "GetPipeline", "OTHER_TENANT"),
        ("mona", "CancelPipeline", "PERMISSION_DENIED"),
    ]


async def test_an_unknown_caller_is_told_why_and_logged_without_the_token(site: Site) -> None:
    token = site.issuer.token(aud="another")
    metadata = (("authorization", f"Bearer {token}"),)
    call = site.operations.ListWorkers(operations_pb2.ListWorkersRequest(), metadata=metadata)
    assert await refusal_of(call) == ("UNAUTHENTICATED", "UNAUTHENTICATED")
    [line] = site.lines("calls_unauthenticated")
    assert line["message"] == "the token is refused: it is for another audience"
    assert token not in site.logged.getvalue()


async def test_a_stream_ends_when_its_token_does(site: Site) -> None:
    own = await site.submit()
    request = scheduler_pb2.WatchPipelineRequest(pipeline_id=own.pipeline_id)
    watch = site.scheduler.WatchPipeline(request, metadata=site.issuer.bearer(seconds=2))
    assert await anext(aiter(watch))
    async with asyncio.timeout(SECONDS):
        assert await refusal_of(rest_of(watch)) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_a_watch_of_all_pipelines_ends_when_its_token_does(site: Site) -> None:
    request = scheduler_pb2.WatchPipelinesRequest()
    watch = site.scheduler.WatchPipelines(request, metadata=site.issuer.bearer(seconds=2))
    assert (await anext(aiter(watch))).rows.first
    async with asyncio.timeout(SECONDS):
        assert await refusal_of(rest_of(watch)) == ("UNAUTHENTICATED", "TOKEN_EXPIRED")


async def test_a_watch_goes_on_with_the_next_token_of_its_file(site: Site, tmp_path: Path) -> None:
    own = await site.submit()
    files = [tmp_path / "renewed.token", tmp_path / "old.token"]
    for file in files:
        file.write_text(site.issuer.token(seconds=2))
    async with (
        asyncio.timeout(2 * SECONDS),
        ContractClient(site.address, "", tenant="north", token_file=files[0]) as renewed,
        ContractClient(site.address, "", tenant="north", token_file=files[1]) as old,
    ):
        watch = renewed.watch(own.pipeline_id)
        await anext(watch)
        files[0].write_text(site.issuer.token())
        with pytest.raises(ServerError) as refused:
            await rest_of(old.watch(own.pipeline_id))
        assert refused.value.reason == "TOKEN_EXPIRED"
        await site.finish_one()
        assert isinstance((await rest_of(watch))[-1], Final)


async def rest_of(watch: Any) -> list[Any]:
    return [message async for message in watch]


async def test_keys_are_rotated_while_a_stream_runs(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # They were read a moment ago, and are not read again for each stranger.
    monkeypatch.setattr("carbonline.serving.auth.key_set.REREAD_PAUSE_SECONDS", 0.0)
    own = await site.submit()
    request = scheduler_pb2.WatchPipelineRequest(pipeline_id=own.pipeline_id)
    watch = aiter(site.scheduler.WatchPipeline(request, metadata=site.issuer.bearer()))
    await anext(watch)
    site.issuer.add_key("second")
    async with asyncio.timeout(SECONDS):
        await site.finish_one()
        messages = await rest_of(watch)
    assert messages[-1].HasField("final")


async def test_a_stranger_is_refused_before_its_request_is_received(site: Site) -> None:
    method = "/carbonline.v1.SchedulerService/Submit"
    call: Any = site.channel.stream_unary(method)
    never = asyncio.Event()

    async def silent() -> AsyncIterator[bytes]:
        await never.wait()
        yield b""

    async with asyncio.timeout(SECONDS):
        assert (await refusal_of(call(silent())))[0] == "UNAUTHENTICATED"


async def test_settings_of_tokens_go_together(settings: Settings, tmp_path: Path) -> None:
    missing = replace(TokenIssuer(tmp_path).settings, keys=str(tmp_path / "absent"))
    with pytest.raises(OSError, match="the keys of tokens cannot be read"):
        async with running_server(
            replace(settings, tokens=missing), _log_to(io.StringIO(), "info")
        ):
            pass
