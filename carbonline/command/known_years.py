"""The years of the running stack, for shell completion."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import uvloop

from carbonline.client.errors import ServerError
from carbonline.client.services import DATA_FOLDER
from carbonline.command.connection import Target
from carbonline.v1 import operations_pb2

# Longer than that nobody waits for a completion.
ANSWER_SECONDS_MAX = 1.0
YEARS_MAX = 200


def known_years(params: Mapping[str, Any]) -> frozenset[int]:
    """The years of the tenant. Empty if the stack does not answer at once.

    `params` are the options of the command that is being typed.
    """
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_years(_target(params)))
    except (OSError, ServerError, click.ClickException):
        return frozenset()


def _target(params: Mapping[str, Any]) -> Target:
    return Target(
        Path(params.get("data_folder") or DATA_FOLDER),
        params.get("scheduler") or "",
        params.get("ledger") or "",
        params.get("token_file"),
        params.get("tenant") or "",
        params.get("tls_ca"),
        params.get("tls_cert"),
        params.get("tls_key"),
    )


async def _years(target: Target) -> frozenset[int]:
    async with asyncio.timeout(ANSWER_SECONDS_MAX), target.client() as client:
        answer = await client.list_years(operations_pb2.ListYearsRequest(page_size=YEARS_MAX))
    return frozenset(one.year for one in answer.years)
