"""The OpenAPI 3.1 document of the gateway, from the descriptors, their comments, and the routes."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet

# Loaded, they are in the pool, and options can be read.
from carbonline.v1 import blobs_pb2, ledger_pb2, operations_pb2, options_pb2, scheduler_pb2
from gateway_service.other_routes import JSON, OtherRoute
from gateway_service.routes import PACKAGE, Route
from gateway_service.transcode.comments import comments_of, summary_of
from gateway_service.transcode.fixed_components import (
    problem_responses,
    problem_schemas,
    security,
)
from gateway_service.transcode.reasons import (
    OF_EVERY_CALL,
    OF_EVERY_REQUEST,
    OF_JSON,
    OF_NAMES,
    Reason,
    Reasons,
)
from gateway_service.transcode.schemas import WELL_KNOWN, Schemas, within

Document: TypeAlias = dict[str, Any]

FILES = (blobs_pb2, ledger_pb2, operations_pb2, scheduler_pb2)
IN_PATH = re.compile(r"\{(\w+)\}")
PROBLEM = "#/components/responses/Problem"
# Statuses that say when to try again.
LATER = (429, 503)
LATER_PROBLEM = "#/components/responses/LaterProblem"
DOES = (
    "People's and programs' way to carbonline over HTTP. Programs send `Authorization: Bearer "
    "TOKEN`; browsers have the token in a cookie.\n\nFields are those of the protos. Numbers of 64 "
    "bits are texts, since the numbers of browsers lose digits. Enums go by name; a query takes "
    "them without their prefix and in small letters, too. A list in a query is repeated "
    "(`statuses=running&statuses=failed`) or separated by commas (`statuses=running,failed`). "
    "An empty value in a query leaves a field that is not text out.\n\n"
    "What is refused is problem+json (RFC 9457) with a `reason` of the contract or of the gateway. "
    "`violations` are what comments call google.rpc.BadRequest, and the header Retry-After is "
    "google.rpc.RetryInfo. Expect new reasons and new fields, and go by the status then."
)


def document(
    packed: bytes, routes: Sequence[Route], others: Sequence[OtherRoute], version: str
) -> Document:
    """The document. `packed` is a FileDescriptorSet with comments; `version` is the API's."""
    comments = comments_of(FileDescriptorSet.FromString(packed).file)
    return _Writer(comments, routes).written(routes, others, version)


def method_of(rpc: str) -> MethodDescriptor:
    """The descriptor of "Service.Method"."""
    return descriptor_pool.Default().FindMethodByName(f"{PACKAGE}.{rpc}")


class _Writer:
    def __init__(self, comments: Mapping[str, str], routes: Sequence[Route]) -> None:
        self._comments = comments
        self._reasons = Reasons(comments)
        bodies = [method_of(one.rpc).input_type for one in routes if one.method == "POST"]
        taken = frozenset(name for one in bodies for name in within(one))
        self._schemas = Schemas(comments, taken)
        self._routes_of = Counter(one.rpc for one in routes)

    def written(
        self, routes: Sequence[Route], others: Sequence[OtherRoute], version: str
    ) -> Document:
        paths: dict[str, Document] = {}
        for route in routes:
            paths.setdefault(route.path, {})[route.method.lower()] = self._of_rpc(route)
        for other in others:
            paths.setdefault(other.path, {})[other.method.lower()] = self._of_other(other)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "carbonline",
                "version": version,
                "description": DOES,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "security": [{"token": []}, {"session": []}],
            "paths": paths,
            "components": {
                "securitySchemes": security(),
                "responses": problem_responses(),
                "schemas": {
                    **dict(sorted(self._schemas.components.items())),
                    **self._problems(others),
                },
            },
        }

    def _problems(self, others: Iterable[OtherRoute]) -> Document:
        own = [*OF_EVERY_CALL, *OF_EVERY_REQUEST, *OF_NAMES, *OF_JSON]
        own += [reason for other in others for reason in other.reasons]
        return problem_schemas([*self._reasons.by_name.values(), *own])

    def _of_rpc(self, route: Route) -> Document:
        method = method_of(route.rpc)
        comment = self._comments.get(method.full_name, "")
        in_path = IN_PATH.findall(route.path)
        has_body = route.method == "POST"
        # The fields of a POST stand in its body; those of its path may stand in neither.
        left_out = () if not has_body else [one.name for one in method.input_type.fields]
        operation: Document = {
            **_head(self._name(route), comment, route.path),
            "x-rpc": route.rpc,
            "x-roles": roles_of(method),
            "parameters": self._parameters(method.input_type, in_path, left_out),
        }
        if has_body:
            schema = self._schemas.of_body(method.input_type, in_path)
            operation["requestBody"] = {
                "required": bool(self._schemas.components[method.input_type.name].get("required")),
                "content": {JSON: {"schema": schema}},
            }
        reasons = [*self._reasons.of_rpc(method.full_name), *OF_EVERY_CALL, *OF_EVERY_REQUEST]
        reasons += OF_NAMES if in_path else ()
        operation["responses"] = {
            "200": {
                "description": self._comments.get(method.output_type.full_name, "The answer."),
                "content": {JSON: {"schema": self._schemas.of_message(method.output_type)}},
            },
            **_refusals([*reasons, *(OF_JSON if has_body else ())]),
        }
        return operation

    def _name(self, route: Route) -> str:
        """The method; where several routes have it, with the field that the path names: names are
        unique.
        """
        name = route.rpc.partition(".")[2]
        in_path = IN_PATH.findall(route.path)
        return f"{name}_by_{in_path[0]}" if self._routes_of[route.rpc] > 1 and in_path else name

    def _of_other(self, route: OtherRoute) -> Document:
        operation: Document = {
            **_head(route.name, route.does, route.path),
            "parameters": self._parameters_of_other(route),
        }
        if route.is_open:
            operation["security"] = []
        if route.rpcs:
            operation["x-rpc"] = ", ".join(route.rpcs)
        if route.body:
            content = {media: {"schema": dict(schema)} for media, schema in route.body.items()}
            operation["requestBody"] = {"required": True, "content": content}
        answers: Document = {}
        if route.answer:
            answers["200"] = {"description": summary_of(route.does) + ".", **self._content(route)}
        for status, words in route.otherwise.items():
            answers[str(status)] = {"description": words, **self._content(route)}
        if route.empty:
            answers["204"] = {"description": route.empty}
        reasons = [one for rpc in route.rpcs for one in self._reasons.of_rpc(f"{PACKAGE}.{rpc}")]
        if not route.is_open:
            reasons += OF_EVERY_CALL
        if IN_PATH.findall(route.path):
            reasons += OF_NAMES
        if JSON in route.body:
            reasons += OF_JSON
        operation["responses"] = {
            **answers,
            **_refusals([*route.reasons, *reasons, *OF_EVERY_REQUEST]),
        }
        return operation

    def _content(self, route: OtherRoute) -> Document:
        content: Document = {
            media: {
                "schema": self._schemas.of_message(
                    descriptor_pool.Default().FindMessageTypeByName(schema)
                )
                if isinstance(schema, str)
                else dict(schema)
            }
            for media, schema in route.answer.items()
        }
        headers = {name: {"schema": {"type": "string"}} for name in route.headers}
        return {"content": content, "headers": headers} if headers else {"content": content}

    def _parameters_of_other(self, route: OtherRoute) -> list[Document]:
        in_path = IN_PATH.findall(route.path)
        found: list[Document] = []
        if route.request:
            message = descriptor_pool.Default().FindMessageTypeByName(route.request)
            found = self._parameters(message, in_path, route.without)
        for one in found:
            one["name"] = one["name"].removeprefix(route.prefix)
        return found + [
            {
                "name": taken.name,
                "in": taken.place,
                **({"required": True} if taken.place == "path" else {}),
                "description": taken.does,
                "schema": dict(taken.schema),
            }
            for taken in route.parameters
        ]

    def _parameters(
        self, message: Descriptor, in_path: Sequence[str], without: Iterable[str]
    ) -> list[Document]:
        """The fields of a path in its order, then those of the query."""
        fields = message.fields_by_name
        found = [
            {**self._parameter(fields[name], name, "path"), "required": True} for name in in_path
        ]
        left_out = {*in_path, *without}
        for name, field in _in_query(message):
            if name not in left_out and name.partition(".")[0] not in left_out:
                found.append(self._parameter(field, name, "query"))
        return found

    def _parameter(self, field: FieldDescriptor, name: str, place: str) -> Document:
        parameter: Document = {"name": name, "in": place}
        if comment := self._comments.get(field.full_name):
            parameter["description"] = comment
        if place == "query" and "." not in name and self._schemas.is_required(field):
            parameter["required"] = True
        if field.is_repeated:
            parameter.update(style="form", explode=True)
        parameter["schema"] = self._schemas.of_query(field)
        return parameter


def roles_of(method: MethodDescriptor) -> list[str]:
    """The roles that may call an RPC, in small letters."""
    allowed = method.GetOptions().Extensions[options_pb2.allowed_roles]
    return [options_pb2.Role.Name(one).removeprefix("ROLE_").lower() for one in allowed]


def _head(name: str, comment: str, path: str) -> Document:
    parts = [one for one in re.split(r"[/:]", path) if one not in ("", "v1")]
    return {
        "operationId": name,
        "tags": [parts[0]],
        "summary": summary_of(comment),
        "description": comment,
    }


def _in_query(message: Descriptor, prefix: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """The fields that a query can name, those of nested messages joined by dots."""
    for field in message.fields:
        nested = field.message_type
        if nested is None or nested.full_name in _TEXTS:
            yield prefix + field.name, field
        elif not field.is_repeated and nested.full_name not in WELL_KNOWN:
            yield from _in_query(nested, f"{prefix}{field.name}.")


_TEXTS = ("google.protobuf.Timestamp", "google.protobuf.Duration")


def _refusals(reasons: Iterable[Reason]) -> Document:
    """One response for each status; its description names every reason."""
    by_status: dict[int, dict[str, None]] = {}
    for one in reasons:
        by_status.setdefault(one.status, {})[one.name] = None
    return {
        str(status): {
            "$ref": LATER_PROBLEM if status in LATER else PROBLEM,
            "description": f"{HTTPStatus(status).phrase}: {', '.join(sorted(names))}.",
        }
        for status, names in sorted(by_status.items())
    }
