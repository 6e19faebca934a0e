"""Each RPC of the scheduler is for the roles that its proto names, and for no other."""

from collections.abc import AsyncIterator

import grpc.aio
import pytest

from carbonline.serving.auth.roles import roles_allowed
from carbonline.serving.logs import open_log
from carbonline.v1 import operations_pb2, scheduler_pb2
from scheduler_service.server import running_server
from scheduler_service.settings import Settings
from tests.carbonline.serving.allowed_roles import (
    DENIED,
    ROLES,
    ByRoleToken,
    answer_to,
    reflected_roles,
)

METHODS = [
    f"/{service.full_name}/{method.name}"
    for file in (scheduler_pb2, operations_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a scheduler that knows its callers by their role."""
    async with (
        running_server(settings, open_log("error"), ByRoleToken()),
        grpc.aio.insecure_channel(settings.address) as channel,
    ):
        yield channel


async def test_each_rpc_answers_the_roles_that_its_proto_names(channel: grpc.aio.Channel) -> None:
    answers = {
        method: {role for role in ROLES if (await answer_to(channel, method, role))[0] != DENIED}
        for method in METHODS
    }
    assert answers == {method: roles_allowed(method) for method in METHODS}


async def test_a_refusal_names_the_roles_that_may_call(channel: grpc.aio.Channel) -> None:
    code, said = await answer_to(channel, "/carbonline.v1.SchedulerService/Claim", "monitor")
    assert code == DENIED
    assert said == "the monitor may not call Claim: it needs the role operator or worker"


@pytest.mark.parametrize("method", METHODS)
async def test_reflection_shows_who_may_call(channel: grpc.aio.Channel, method: str) -> None:
    assert await reflected_roles(channel, method) == roles_allowed(method)
