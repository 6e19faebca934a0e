"""Reflection answers for every symbol of the contract, with comments, in both its versions."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2
from grpc_status import rpc_status

from carbonline.serving.reflection import SERVICE_NAMES
from carbonline.v1 import scheduler_pb2
from tests.scheduler_service.rpc.conftest import Client

Question = reflection_pb2.ServerReflectionRequest
PACKAGE = "carbonline.v1"
PROTOS = Path(__file__).parents[3] / "protos"

in_both_versions = pytest.mark.parametrize("served", SERVICE_NAMES)


async def ask(client: Client, served: str, questions: Iterable[Any]) -> list[Any]:
    """The answers to the questions, in order, on one stream."""
    stub: Any = client.channel.stream_stream(
        f"/{served}/ServerReflectionInfo",
        request_serializer=Question.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    return [answer async for answer in stub(iter(questions), timeout=20)]


def files_of(answer: Any) -> list[descriptor_pb2.FileDescriptorProto]:
    packed = answer.file_descriptor_response.file_descriptor_proto
    return [descriptor_pb2.FileDescriptorProto.FromString(data) for data in packed]


def declared(file: Any) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Every symbol of a file beside its path in the file's source info."""
    for number, enum in enumerate(file.enum_type):
        yield f"{file.package}.{enum.name}", (5, number)
        for place, value in enumerate(enum.value):
            yield f"{file.package}.{value.name}", (5, number, 2, place)
            yield f"{file.package}.{enum.name}.{value.name}", (5, number, 2, place)
    for number, message in enumerate(file.message_type):
        yield f"{file.package}.{message.name}", (4, number)
        for place, field in enumerate(message.field):
            yield f"{file.package}.{message.name}.{field.name}", (4, number, 2, place)
        for place, oneof in enumerate(message.oneof_decl):
            # An optional field makes one of its own, which nobody wrote.
            if not oneof.name.startswith("_"):
                yield f"{file.package}.{message.name}.{oneof.name}", (4, number, 8, place)
    for number, service in enumerate(file.service):
        yield f"{file.package}.{service.name}", (6, number)
        for place, method in enumerate(service.method):
            yield f"{file.package}.{service.name}.{method.name}", (6, number, 2, place)


@in_both_versions
async def test_it_lists_itself_and_what_it_describes(client: Client, served: str) -> None:
    [listed] = await ask(client, served, [Question(list_services="")])
    names = [service.name for service in listed.list_services_response.service]
    assert names == sorted(names)
    assert set(names) == {
        "carbonline.v1.OperationsService",
        "carbonline.v1.SchedulerService",
        "grpc.health.v1.Health",
        *SERVICE_NAMES,
    }
    described = await ask(client, served, [Question(file_containing_symbol=n) for n in names])
    for name, answer in zip(names, described, strict=True):
        [found] = [f for f in files_of(answer) if name in dict(declared(f))]
        assert found.name == files_of(answer)[0].name


@in_both_versions
async def test_every_symbol_is_found_and_has_its_comment(client: Client, served: str) -> None:
    sources = sorted((PROTOS / "carbonline/v1").glob("*.proto"))
    names = [str(source.relative_to(PROTOS)) for source in sources]
    answers = await ask(client, served, [Question(file_by_filename=name) for name in names])
    ours = [files_of(answer)[0] for answer in answers]
    assert [file.name for file in ours] == names
    symbols = {symbol: (file, path) for file in ours for symbol, path in declared(file)}
    answers = await ask(client, served, [Question(file_containing_symbol=s) for s in symbols])
    for (symbol, (file, path)), found in zip(symbols.items(), answers, strict=True):
        assert files_of(found)[0].name == file.name, symbol
        comments = [c for c in file.source_code_info.location if tuple(c.path) == path]
        assert comments, symbol
        assert comments[0].leading_comments + comments[0].trailing_comments, symbol


@in_both_versions
async def test_an_answer_holds_all_that_its_file_imports(client: Client, served: str) -> None:
    name = scheduler_pb2.DESCRIPTOR.name
    [answer] = await ask(client, served, [Question(file_by_filename=name)])
    files = {file.name: file for file in files_of(answer)}
    assert next(iter(files)) == name
    for file in files.values():
        assert set(file.dependency) <= files.keys()


@in_both_versions
async def test_the_details_of_an_error_are_found(client: Client, served: str) -> None:
    """A tool shows what an error carries only if reflection knows the message."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.scheduler.Submit(scheduler_pb2.SubmitRequest())
    status = rpc_status.from_call(refused.value)
    names = [detail.type_url.rpartition("/")[2] for detail in status.details]
    assert names == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]
    names.append("google.rpc.RetryInfo")
    answers = await ask(client, served, [Question(file_containing_symbol=n) for n in names])
    for name, answer in zip(names, answers, strict=True):
        pool = descriptor_pool.DescriptorPool()
        for file in reversed(files_of(answer)):
            pool.Add(file)
        assert pool.FindMessageTypeByName(name).fields


@in_both_versions
async def test_extensions_are_found_by_number(client: Client, served: str) -> None:
    options = "google.protobuf.MethodOptions"
    [numbers] = await ask(client, served, [Question(all_extension_numbers_of_type=options)])
    found = list(numbers.all_extension_numbers_response.extension_number)
    assert found
    asked = [
        reflection_pb2.ExtensionRequest(containing_type=options, extension_number=n) for n in found
    ]
    for answer in await ask(
        client, served, [Question(file_containing_extension=extension) for extension in asked]
    ):
        assert files_of(answer)[0].package == PACKAGE


@in_both_versions
async def test_what_is_unknown_is_named_and_ends_no_stream(client: Client, served: str) -> None:
    nobody = reflection_pb2.ExtensionRequest(containing_type="a.B", extension_number=7)
    questions = [
        Question(file_containing_symbol="carbonline.v1.Nobody"),
        Question(file_by_filename="nobody.proto"),
        Question(all_extension_numbers_of_type="a.B"),
        Question(file_containing_extension=nobody),
        Question(),
        Question(list_services=""),
    ]
    *refused, listed = await ask(client, served, questions)
    not_found, invalid = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT
    codes = [answer.error_response.error_code for answer in refused]
    assert codes == [not_found.value[0]] * 4 + [invalid.value[0]]
    assert refused[0].error_response.error_message == "this server has no carbonline.v1.Nobody"
    assert refused[3].error_response.error_message == "this server has no extension 7 of a.B"
    assert listed.list_services_response.service
