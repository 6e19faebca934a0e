"""What the OpenAPI document allows, and what it does not, is sent to a real stack by a fuzzer.

No answer is a 5xx, and each has the status, the media type, the headers, the shape and the reasons
that the document tells.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import types_pb2
from gateway_service.server import RunningGateway
from tests.gateway.conftest import Services, both_services
from tests.scheduler_service.rpc.conftest import ByTenantToken, Client

REPOSITORY = Path(__file__).parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "reason_is_told",
    "wrong_data_is_refused",
)
# Their answers end with a pipeline, or never.
STREAMS = ("WatchPipeline", "WatchAll")


class OneToken(ByTenantToken):
    """Knows one caller, so that a call without the right token can be told from one with it."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        """The caller `local`."""
        # The driver sends none; the gateway asks no service without one.
        known = authorization in ("", "Bearer local")
        return await super().principal(peer, authorization) if known else None


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    async with both_services(database_url, tmp_path, OneToken()) as running:
        yield running


async def fuzzed(gateway: RunningGateway, folder: Path, *more: str) -> None:
    """Sends what the document leads to; AssertionError with all that it told."""
    fuzzer = str(Path(sys.executable).parent / "schemathesis")
    command = [fuzzer, "run", f"{gateway.url}v1/openapi.json", "--mode", "all", "--no-color"]
    command += ["--header", "Authorization: Bearer local", "--checks", ",".join(CHECKS)]
    command += ["--continue-on-failure", "--request-timeout", "30", *more]
    command += [part for name in STREAMS for part in ("--exclude-operation-id", name)]
    running = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(REPOSITORY),
            "SCHEMATHESIS_HOOKS": "tests.gateway.reasons_check",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await running.communicate()
    assert running.returncode == 0, told.decode()


async def with_data(driver: Client) -> None:
    """Numbers that a fuzzer guesses: pipeline 1 and 2, job 1 and 2, the year 2024."""
    await driver.provision()
    await driver.submit("noop", types_pb2.Scope(tenant="local"))


async def test_every_answer_is_as_the_document_tells(
    gateway: RunningGateway, driver: Client, tmp_path: Path
) -> None:
    await with_data(driver)
    await fuzzed(gateway, tmp_path, "--phases", "fuzzing", "--max-examples", "4", "--seed", "1")


@pytest.mark.slow
async def test_every_answer_is_as_the_document_tells_at_length(
    gateway: RunningGateway, driver: Client, tmp_path: Path
) -> None:
    await with_data(driver)
    many = ("--max-examples", os.environ.get("FUZZ_EXAMPLES", "50"))
    seed = ("--seed", seed) if (seed := os.environ.get("SEED")) else ()
    await fuzzed(gateway, tmp_path, "--phases", "coverage,fuzzing", *many, *seed)
