"""Ends what a token opened when the token expires."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing
from typing import Any

from carbonline.serving.auth.principals import Principal
from carbonline.serving.errors import RpcError


async def until_expiry(principal: Principal | None, work: Awaitable[Any]) -> Any:
    """The result of `work`, which is cancelled when the credentials of its caller expire: then
    RpcError TOKEN_EXPIRED is raised.
    """
    seconds = principal.seconds_left if principal is not None else None
    if seconds is None:
        return await work
    limit = asyncio.timeout(max(seconds, 0.0))
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        raise token_expired() from None


async def each_before_expiry(
    principal: Principal | None, messages: AsyncIterator[Any]
) -> AsyncGenerator[Any, None]:
    """The messages of a stream. Raises RpcError TOKEN_EXPIRED instead of the first one that comes
    when the credentials of the caller have expired.
    """
    async with aclosing(messages) as each:  # type: ignore[type-var]
        async for message in each:
            seconds = principal.seconds_left if principal is not None else None
            if seconds is not None and seconds <= 0:
                raise token_expired()
            yield message


def token_expired() -> RpcError:
    """The error for a token whose time is over."""
    return RpcError("TOKEN_EXPIRED", "the token has expired; call again with a new one")
