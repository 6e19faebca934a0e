"""The stack as `carbonline up` starts it, and a client that loads files."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from carbonline.client.contract_client import ContractClient
from carbonline.client.view import PipelineView
from carbonline.local.settings import StackSettings
from carbonline.local.stack import Stack, running_stack
from carbonline.v1 import types_pb2


@dataclass(frozen=True)
class FileBench:
    """A running stack, a client, and a folder for files."""

    stack: Stack
    client: ContractClient
    folder: Path


@asynccontextmanager
async def running_files(workers: int = 1) -> AsyncIterator[FileBench]:
    """Everything in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="carbonline-bench-") as folder:
        async with running_stack(StackSettings(Path(folder), workers=workers)) as stack:
            where = stack.addresses
            client = ContractClient(
                where.scheduler_address,
                where.ledger_address,
                tenant=where.tenant,
                token_file=where.token_file,
            )
            async with client:
                yield FileBench(stack, client, Path(folder))


async def ended(bench: FileBench, pipeline_id: int) -> PipelineView:
    """The end of a pipeline that must succeed."""
    view = PipelineView()
    async for event in bench.client.watch(pipeline_id):
        view.apply(event)
    assert view.pipeline is not None
    assert view.pipeline.status == types_pb2.PIPELINE_STATUS_SUCCESS, view.in_order()
    return view


def server_seconds(view: PipelineView) -> float:
    """From Submit to the pipeline's end, by the database's clock."""
    assert view.pipeline is not None
    ended_at, began_at = view.pipeline.finished_at, view.pipeline.created_at
    return (ended_at.ToNanoseconds() - began_at.ToNanoseconds()) / 1e9
