"""Each RPC of the ledger process is for the roles that its proto names, and for no other."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from carbonline.serving.auth.roles import roles_allowed
from carbonline.serving.logs import open_log
from tests.carbonline.serving.allowed_roles import (
    DENIED,
    ROLES,
    ByRoleToken,
    answer_to,
    reflected_roles,
)
from tests.worker_service.ledger_api.conftest import ALL_RPCS
from worker_service.ledger_api.server import running_ledger
from worker_service.settings import Settings


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a ledger process that knows its callers by their role."""
    async with (
        running_ledger(settings, open_log("error"), ByRoleToken()),
        grpc.aio.insecure_channel(settings.ledger_address) as channel,
    ):
        yield channel


async def test_each_rpc_answers_the_roles_that_its_proto_names(channel: grpc.aio.Channel) -> None:
    answers = {
        method: {role for role in ROLES if (await answer_to(channel, method, role))[0] != DENIED}
        for method in ALL_RPCS
    }
    assert answers == {method: roles_allowed(method) for method in ALL_RPCS}


@pytest.mark.parametrize("method", ALL_RPCS)
async def test_reflection_shows_who_may_call(channel: grpc.aio.Channel, method: str) -> None:
    assert await reflected_roles(channel, method) == roles_allowed(method)
