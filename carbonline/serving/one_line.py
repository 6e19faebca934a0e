"""A server whose calls wait in one line, whatever their methods."""

from collections.abc import Sequence
from typing import Any

import grpc.aio


def one_line_server(
    interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]
) -> grpc.aio.Server:
    """A server with no methods yet.

    The library gives each method of generated code a line of its own, as long as the bound of calls
    that have begun and whose handler has not. Strangers could fill all of them, and a caller would
    wait for its turn in its line and for that of its line among all.
    """
    server = grpc.aio.server(interceptors=interceptors, options=options)
    # What is not registered is found by name, among the handlers that generated code adds, too.
    server.add_registered_method_handlers = _no_line  # type: ignore[method-assign]
    return server


def _no_line(service_name: str, method_handlers: object) -> None:
    """Registers nothing."""
    del service_name, method_handlers
