"""What a served RPC answers to each role, held against what its proto says."""

from typing import Any

import grpc.aio
from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from carbonline.serving.auth.principals import Principal
from carbonline.v1 import options_pb2

ROLES = ("worker", "gateway", "operator", "monitor", "auditor")
DENIED = grpc.StatusCode.PERMISSION_DENIED


class ByRoleToken:
    """Who sends `Bearer ROLE` is a principal of tenant local with that role alone."""

    async def principal(self, peer: str, authorization: str) -> Principal | None:
        role = authorization.removeprefix("Bearer ")
        return Principal(f"the {role}", ("local",), frozenset({role}))


async def answer_to(channel: grpc.aio.Channel, method: str, role: str) -> tuple[Any, str]:
    """The code and the sentence that an empty request of this role gets."""
    # Not as a stream: who is refused before the message is sent would see that it cannot be sent.
    stub: Any = channel.unary_stream(method)
    metadata = (("authorization", f"Bearer {role}"),)
    call = stub(b"", metadata=metadata, timeout=20)
    try:
        async for _ in call:
            call.cancel()
            return grpc.StatusCode.OK, ""
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


async def reflected_roles(channel: grpc.aio.Channel, method: str) -> set[str]:
    """The roles that a server's reflection shows for "/carbonline.v1.Service/Method"."""
    service, _, name = method.removeprefix("/").rpartition("/")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    # A client that has no proto of ours learns from the second what the first says.
    questions = [
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=symbol)
        for symbol in (service, "carbonline.v1.allowed_roles")
    ]
    answers = [found async for found in stub.ServerReflectionInfo(iter(questions))]
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(data)
        for answer in answers
        for data in answer.file_descriptor_response.file_descriptor_proto
    ]
    assert "allowed_roles" in [one.name for file in files for one in file.extension]
    [options] = [
        one.options
        for file in files
        for found in file.service
        for one in found.method
        if f"{file.package}.{found.name}" == service and one.name == name
    ]
    return {
        options_pb2.Role.Name(role).removeprefix("ROLE_").lower()
        for role in options.Extensions[options_pb2.allowed_roles]
    }
