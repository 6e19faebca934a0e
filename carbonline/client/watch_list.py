"""A watch of a tenant's pipelines that outlives its connections."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import TypeAlias

from carbonline.client.lasting_stream import Broken, lasting_stream
from carbonline.client.no_answer import Server
from carbonline.client.watch import Interrupted
from carbonline.v1 import scheduler_pb2

OpenList: TypeAlias = Callable[[], AsyncIterator[scheduler_pb2.WatchPipelinesResponse]]


async def pipeline_rows(
    open_stream: OpenList, server: Server, patience_seconds: float
) -> AsyncIterator[scheduler_pb2.PipelineRows | Interrupted]:
    """Yields rows for as long as it is read, over as many streams as it takes. The first rows of
    each stream say `first`: they replace all before.

    Raises ServerError if the watch is refused, or if no server answers for `patience_seconds`.
    """
    async with aclosing(lasting_stream(open_stream, server, patience_seconds)) as messages:
        async for message in messages:
            if isinstance(message, Broken):
                if not message.is_routine:
                    yield Interrupted(0, message.reason, message.silent_seconds)
            elif message.HasField("rows"):
                yield message.rows
