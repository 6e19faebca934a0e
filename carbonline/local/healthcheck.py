"""`python -m carbonline.local.healthcheck ADDRESS`: checks a server, for container engines."""

import asyncio
import sys
from collections.abc import Sequence

import grpc.aio

from carbonline.client.channel import open_channel
from carbonline.client.errors import server_error
from carbonline.client.no_answer import Server
from carbonline.local.health import SERVING, health_of

CHECK_SECONDS_MAX = 3.0
EXIT_NOT_SERVING = 1
EXIT_USAGE = 2


def main(arguments: Sequence[str]) -> int:
    """Returns 0 if the server says SERVING, else 1 with a sentence on stderr. 2 for wrong usage."""
    if len(arguments) != 1:
        print("usage: python -m carbonline.local.healthcheck ADDRESS", file=sys.stderr)
        return EXIT_USAGE
    fault = asyncio.run(fault_of(arguments[0]))
    if fault:
        print(fault, file=sys.stderr)
    return EXIT_NOT_SERVING if fault else 0


async def fault_of(address: str) -> str:
    """A sentence if the server does not say SERVING, else ""."""
    async with open_channel(address, retries=False) as channel:
        try:
            status = await health_of(channel, CHECK_SECONDS_MAX)
        except grpc.aio.AioRpcError as error:
            return str(server_error(error, Server("server", address), CHECK_SECONDS_MAX))
    return "" if status == SERVING else f"The server at {address} says {status}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
