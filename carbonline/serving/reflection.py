"""Reflection: a client learns services, messages and their comments from a running server.

Serves grpc.reflection.v1 and, for older clients, v1alpha: both have the same messages on the wire.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from importlib import resources
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf import descriptor_pb2, descriptor_pool, text_format
from google.rpc import error_details_pb2
from grpc_reflection.v1alpha import reflection_pb2

from carbonline import v1

ALPHA = "grpc.reflection.v1alpha"
STABLE = "grpc.reflection.v1"
SERVICE_NAMES = (f"{STABLE}.ServerReflection", f"{ALPHA}.ServerReflection")
# Made with the messages, from the protos; generated code keeps no comments.
DESCRIPTORS = "descriptors.binpb"

File: TypeAlias = descriptor_pb2.FileDescriptorProto
Request: TypeAlias = "reflection_pb2.ServerReflectionRequest"
Answer: TypeAlias = "reflection_pb2.ServerReflectionResponse"


class Descriptors:
    """The proto files behind a server's services, found by name, symbol or extension."""

    def __init__(self, files: Iterable[File]) -> None:
        """Index the files; every import of a file must be among them."""
        self._files: dict[str, File] = {}
        self._by_symbol: dict[str, str] = {}
        self._by_extension: dict[str, str] = {}
        self._extension_numbers: dict[str, list[int]] = {}
        for file in files:
            self._files[file.name] = file
            for symbol in _symbols(file):
                self._by_symbol[symbol] = file.name
            for extended, number in _extensions(file):
                self._by_extension[_named(extended, number)] = file.name
                self._extension_numbers.setdefault(extended, []).append(number)

    def by_name(self, name: str) -> list[File]:
        """The file and all that it imports, itself first. Raises KeyError if there is none."""
        found: dict[str, File] = {}
        left = [name]
        while left:
            file = self._files[left.pop()]
            if file.name not in found:
                found[file.name] = file
                left += file.dependency
        return list(found.values())

    def by_symbol(self, symbol: str) -> list[File]:
        """The file of a message, field, oneof, enum, enum value, service, method or extension."""
        return self.by_name(self._by_symbol[symbol])

    def by_extension(self, extended: str, number: int) -> list[File]:
        """The file that extends the message `extended` by this number."""
        return self.by_name(self._by_extension[_named(extended, number)])

    def extension_numbers(self, extended: str) -> list[int]:
        """The numbers that extend a message, ascending. Raises KeyError if it is unknown."""
        if extended not in self._by_symbol:
            raise KeyError(extended)
        return sorted(self._extension_numbers.get(extended, ()))


def add_reflection(server: grpc.aio.Server, services: Sequence[str]) -> None:
    """Serve reflection of these services (full names) in both its versions."""
    listed = sorted((*services, *SERVICE_NAMES))
    behaviour = _answering(Descriptors(_all_files(services)), listed)
    for name in SERVICE_NAMES:
        handler = grpc.stream_stream_rpc_method_handler(
            behaviour,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
        served = grpc.method_handlers_generic_handler(name, {"ServerReflectionInfo": handler})
        server.add_generic_rpc_handlers((served,))


def _answering(
    descriptors: Descriptors, listed: Sequence[str]
) -> Callable[[AsyncIterator[Request], Any], AsyncIterator[Answer]]:
    async def server_reflection_info(
        requests: AsyncIterator[Request], _context: Any
    ) -> AsyncIterator[Answer]:
        async for request in requests:
            yield _answer(descriptors, listed, request)

    return server_reflection_info


def _answer(descriptors: Descriptors, listed: Sequence[str], request: Request) -> Answer:
    answer = reflection_pb2.ServerReflectionResponse(
        valid_host=request.host, original_request=request
    )
    try:
        match request.WhichOneof("message_request"):
            case "list_services":
                for name in listed:
                    answer.list_services_response.service.add(name=name)
            case "file_by_filename":
                _put(answer, descriptors.by_name(request.file_by_filename))
            case "file_containing_symbol":
                _put(answer, descriptors.by_symbol(request.file_containing_symbol))
            case "file_containing_extension":
                asked = request.file_containing_extension
                files = descriptors.by_extension(asked.containing_type, asked.extension_number)
                _put(answer, files)
            case "all_extension_numbers_of_type":
                extended = request.all_extension_numbers_of_type
                numbers = answer.all_extension_numbers_response
                numbers.extension_number.extend(descriptors.extension_numbers(extended))
                numbers.base_type_name = extended
            case _:
                _refuse(answer, grpc.StatusCode.INVALID_ARGUMENT, "the request asks for nothing")
    except KeyError as error:
        _refuse(answer, grpc.StatusCode.NOT_FOUND, f"this server has no {error.args[0]}")
    return answer


def _put(answer: Answer, files: Iterable[File]) -> None:
    for file in files:
        answer.file_descriptor_response.file_descriptor_proto.append(file.SerializeToString())


def _refuse(answer: Answer, code: grpc.StatusCode, sentence: str) -> None:
    answer.error_response.error_code = code.value[0]
    answer.error_response.error_message = sentence


def _all_files(services: Sequence[str]) -> Iterator[File]:
    packed = (resources.files(v1) / DESCRIPTORS).read_bytes()
    ours = descriptor_pb2.FileDescriptorSet.FromString(packed).file
    yield from ours
    # What comes with gRPC brings no comments. A tool that shows an error looks for its details.
    pool = descriptor_pool.Default()
    found = [pool.FindFileContainingSymbol(name) for name in (*services, SERVICE_NAMES[1])]
    theirs: dict[str, File] = {}
    for one in (*found, error_details_pb2.DESCRIPTOR):
        theirs[one.name] = descriptor_pb2.FileDescriptorProto()
        one.CopyToProto(theirs[one.name])
    for name in theirs.keys() - {file.name for file in ours}:
        yield theirs[name]
    alpha = pool.FindFileContainingSymbol(SERVICE_NAMES[1]).name
    # The file of v1 is that of v1alpha in another package.
    text = text_format.MessageToString(theirs[alpha]).replace("v1alpha", "v1")
    yield text_format.Parse(text, descriptor_pb2.FileDescriptorProto())


def _symbols(file: File) -> Iterator[str]:
    """The full name of all that the file declares."""
    package = file.package
    yield from _of_enums(package, file.enum_type)
    yield from _of_fields(package, file.extension)
    for message in file.message_type:
        yield from _of_message(package, message)
    for service in file.service:
        yield f"{package}.{service.name}"
        for method in service.method:
            yield f"{package}.{service.name}.{method.name}"


def _of_message(within: str, message: descriptor_pb2.DescriptorProto) -> Iterator[str]:
    name = f"{within}.{message.name}"
    yield name
    yield from _of_enums(name, message.enum_type)
    yield from _of_fields(name, message.field)
    yield from _of_fields(name, message.extension)
    for oneof in message.oneof_decl:
        yield f"{name}.{oneof.name}"
    for nested in message.nested_type:
        yield from _of_message(name, nested)


def _of_fields(within: str, fields: Iterable[descriptor_pb2.FieldDescriptorProto]) -> Iterator[str]:
    for field in fields:
        yield f"{within}.{field.name}"


def _of_enums(within: str, enums: Iterable[descriptor_pb2.EnumDescriptorProto]) -> Iterator[str]:
    for enum in enums:
        yield f"{within}.{enum.name}"
        for value in enum.value:
            # A value is a sibling of its enum; tools also ask for it as a child.
            yield f"{within}.{value.name}"
            yield f"{within}.{enum.name}.{value.name}"


def _named(extended: str, number: int) -> str:
    return f"extension {number} of {extended}"


def _extensions(file: File) -> Iterator[tuple[str, int]]:
    found = list(file.extension)
    left = list(file.message_type)
    while left:
        message = left.pop()
        found += message.extension
        left += message.nested_type
    for extension in found:
        yield extension.extendee.removeprefix("."), extension.number
