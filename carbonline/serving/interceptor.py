"""What every call passes first: decoding, authentication, roles, and errors with their codes."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeAlias

import grpc
import grpc.aio
from structlog.typing import FilteringBoundLogger

from carbonline.postgres.full_disk import DISK_FULL, is_full
from carbonline.serving.auth.admission import Admission
from carbonline.serving.auth.audit import Audit
from carbonline.serving.auth.expiry import each_before_expiry, until_expiry
from carbonline.serving.auth.principals import Authenticator, Principal
from carbonline.serving.calls_at_work import CallsAtWork
from carbonline.serving.calls_in_flight import (
    CallsInFlight,
    Room,
    begin,
    call_of_this_task,
    count_for,
    refuse,
)
from carbonline.serving.decoding import decoded, safely
from carbonline.serving.errors import RpcError, abort, value_refused
from carbonline.serving.receiving import Rests, Senders
from carbonline.serving.silence import Silence
from carbonline.serving.throttled_log import ThrottledLog
from carbonline.serving.until_end import each_until, until

# grpc's classes are generic in its stubs only.
MaybeHandler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
OWN_PACKAGE = "/carbonline.v1."
OK = grpc.StatusCode.OK.name
LOOK_EVERY_SECONDS = 0.25
DEFECT = "the server failed at this call, which is a bug; its log says why"
CANCELLED = grpc.StatusCode.CANCELLED.name
# A context says the number or the member, depending on who has aborted the call, and None if nobody
# has.
CODE_NAMES: Mapping[Any, str] = {
    **{code.value[0]: code.name for code in grpc.StatusCode},
    **{code: code.name for code in grpc.StatusCode},
}

_CALLER: ContextVar[Principal] = ContextVar("caller")


def caller() -> Principal:
    """The principal of the call that this code runs in."""
    return _CALLER.get()


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps every handler of a server.

    A foreign call is one to a service that is not carbonline's, such as health or reflection.
    Setting `draining` ends foreign streams, which would go on for ever. Setting `over` also ends
    the streams of carbonline's services, if `ends_own_streams`; `end_calls` ends other calls.
    `silence` is told of the database by who pings it.
    """

    def __init__(
        self,
        authenticator: Authenticator,
        log: FilteringBoundLogger,
        called: Callable[[str, str], None],
        *,
        database_unavailable: tuple[type[Exception], ...],
        value_refused: tuple[type[Exception], ...] = (),
        translated: Callable[[Exception], RpcError | None] = lambda _: None,
        ends_own_streams: bool,
        calls: CallsInFlight,
    ) -> None:
        """`log` gets defects, `called` the method and the code of each call that ends.

        Exceptions of `database_unavailable` are answered with DATABASE_UNAVAILABLE, or with
        DATABASE_FULL if that is why. Those that are
        of `value_refused` too are answered with FIELD_INVALID: no check has found them. Before
        both, `translated` is asked: if it returns an error, that is the answer.

        `ends_own_streams` costs two tasks per message. Leave it out if all streams of the services
        end by themselves when their server drains.

        `calls` bounds the calls in flight. Streams of carbonline's services have limits of their
        own: they count until their request is received.
        """
        self._admission = Admission(authenticator, log)
        self._audit = Audit(log, caller)
        self._log = log
        self._called = called
        self._database_unavailable = database_unavailable
        self._value_refused = value_refused
        self._translated = translated
        self._ends_own_streams = ends_own_streams
        # Thousands of calls a second may find the database unavailable.
        self._unavailable: ThrottledLog[tuple[str, str]] = ThrottledLog(self._log_unavailable)
        self._in_flight = calls
        self._senders = Senders(calls.receive_seconds)
        self._strangers = {
            room: Senders(calls.receive_seconds, room.is_crowded)
            for room in (calls.health, calls.foreign)
        }
        self._rests = Rests()
        self._wrapped: dict[str, _Wrapped] = {}
        self.draining = asyncio.Event()
        self.over = asyncio.Event()
        # Set while no foreign call is in flight.
        self.without_foreign_calls = asyncio.Event()
        self.without_foreign_calls.set()
        self._foreign_calls = 0
        self.silence = Silence()
        self._at_work = CallsAtWork(OWN_PACKAGE)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[MaybeHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "MaybeHandler":
        """The handler, with its deserializer and its behaviour wrapped, once for all calls; or one
        that refuses the call without receiving its request.
        """
        method = handler_call_details.method
        known = self._wrapped.get(method)
        if known is None:
            handler = await continuation(handler_call_details)
            if handler is None:
                return handler
            known = self._wrapped[method] = self._wrap(method, handler)
        if known.room is not None:
            metadata = handler_call_details.invocation_metadata
            call = known.room.enter(*await self._admission.whose(metadata))
            if call is None:
                return known.refusal
            await begin(call, receives=known.has_one_request)
        return known.handler

    def _wrap(self, method: str, handler: "grpc.RpcMethodHandler[Any, Any]") -> "_Wrapped":
        is_own = method.startswith(OWN_PACKAGE)
        is_stream = handler.request_streaming or handler.response_streaming
        passes = is_own and (is_stream or self._in_flight.is_bounded_elsewhere(method))
        in_flight = self._in_flight.room(method, is_foreign=not is_own)
        return _Wrapped(
            self._wrapped_handler(method, handler, ends_when_received=passes),
            # Only a caller whose request comes as a stream can be answered before it is received.
            grpc.stream_unary_rpc_method_handler(self._answering(method, refuse)),
            None if is_own and handler.request_streaming else in_flight,
            not handler.request_streaming,
        )

    def _wrapped_handler(
        self, method: str, handler: "grpc.RpcMethodHandler[Any, Any]", *, ends_when_received: bool
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        serialize = handler.response_serializer
        codec = {
            "request_deserializer": safely(
                handler.request_deserializer, method, ends_when_received=ends_when_received
            ),
            "response_serializer": serialize,
        }
        match handler.request_streaming, handler.response_streaming:
            case False, False:
                changing = self._audit.around(method, handler.unary_unary)
                behave = _counting(self._at_work.noting(method, changing), serialize)
                codec["response_serializer"] = None
                call = self._answering(method, behave, one_request=True, is_stream=False)
                return grpc.stream_unary_rpc_method_handler(call, **codec)
            case True, False:
                changing = self._audit.around(method, handler.stream_unary)
                behave = self._until_end(method, changing)
                call = self._answering(method, behave, receives_rest=True)
                return grpc.stream_unary_rpc_method_handler(call, **codec)
            case False, True if inspect.iscoroutinefunction(handler.unary_stream):
                # It writes for itself, as the health service's Watch does.
                behave = self._until_end(method, handler.unary_stream)
                call = self._answering(method, behave, one_request=True)
                return grpc.stream_stream_rpc_method_handler(call, **codec)
            case False, True:
                stream = self._streaming(method, handler.unary_stream, one_request=True)
                return grpc.stream_stream_rpc_method_handler(stream, **codec)
            case _:
                stream = self._streaming(method, handler.stream_stream)
                return grpc.stream_stream_rpc_method_handler(stream, **codec)

    def _answering(
        self,
        method: str,
        behave: Any,
        *,
        one_request: bool = False,
        is_stream: bool = True,
        receives_rest: bool = False,
    ) -> Any:
        senders = self._senders_of(method)

        async def call(request: Any, context: Context) -> Any:
            code = CANCELLED
            self._begun(method)
            try:
                # Before the request is received: a stranger gets no memory of ours.
                principal = await self._admit(method, context)
                if one_request:
                    request = await senders.request(context)
                work = behave(decoded(request), context)
                answer = await (until_expiry(principal, work) if is_stream else work)
            except Exception as raised:  # noqa: BLE001 - every answer of ours has a code
                error = self._reason_of(raised)
                code = self._code_of(error, context)
                if receives_rest:
                    is_stranger = _CALLER.get(None) is None
                    await self._rests.receive(context, of_stranger=is_stranger)
                await self._fail(method, error, context)
            except asyncio.CancelledError:
                told = CODE_NAMES.get(context.code(), OK)
                code = CANCELLED if told == OK else told
                raise
            else:
                code = OK
                return answer
            finally:
                self._ended(method, code)

        return call

    def _streaming(self, method: str, behave: Any, *, one_request: bool = False) -> Any:
        senders = self._senders_of(method)

        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            code = CANCELLED
            self._begun(method)
            try:
                principal = await self._admit(method, context)
                if one_request:
                    request = await senders.request(context)
                elif not method.startswith(OWN_PACKAGE):
                    request = senders.each(context)
                end, messages = self._end_of(method), behave(decoded(request), context)
                messages = messages if end is None else each_until(end, messages)
                async with aclosing(each_before_expiry(principal, messages)) as each:
                    async for message in each:
                        yield message
                code = OK
            except Exception as raised:  # noqa: BLE001 - every answer of ours has a code
                error = self._reason_of(raised)
                code = self._code_of(error, context)
                await self._fail(method, error, context)
            finally:
                self._ended(method, code)

        return call

    def _senders_of(self, method: str) -> Senders:
        if method.startswith(OWN_PACKAGE):
            return self._senders
        return self._strangers[self._in_flight.room(method, is_foreign=True)]

    def _begun(self, method: str) -> None:
        if not method.startswith(OWN_PACKAGE):
            self._foreign_calls += 1
            self.without_foreign_calls.clear()

    def _ended(self, method: str, code: str) -> None:
        """Its status is on its way by now."""
        self._called(method, code)
        if not method.startswith(OWN_PACKAGE):
            self._foreign_calls -= 1
            if not self._foreign_calls:
                self.without_foreign_calls.set()

    async def end_calls(self) -> None:
        """Answer every call of carbonline's services that has not been answered with DRAINING, and
        end its work.
        """
        error = RpcError("DRAINING", "this server is shutting down; retry this call")
        await self._at_work.end_all(error)

    async def end_calls_in_silence(self, services: Collection[str]) -> None:
        """While the database is silent, answer the calls of these services (full names) with
        DATABASE_UNAVAILABLE just before their deadlines; never returns.
        """
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            if self.silence.is_long:
                error = self.silence.error(leaves_time=False)
                for method in self._at_work.end_late(error, services):
                    self._unavailable.add((method, error.message))

    def _until_end(self, method: str, behave: Any) -> Any:
        end = self._end_of(method)
        if end is None:
            return behave

        async def call(requests: Any, context: Context) -> Any:
            return await until(end, behave(requests, context))

        return call

    def _end_of(self, method: str) -> asyncio.Event | None:
        if not method.startswith(OWN_PACKAGE):
            return self.draining
        return self.over if self._ends_own_streams else None

    async def _admit(self, method: str, context: Context) -> Principal | None:
        """The caller; None of foreign calls, which need no credentials."""
        if not method.startswith(OWN_PACKAGE):
            return None
        principal = await self._admission.identify(context)
        _CALLER.set(principal)
        self._admission.check_method(method, principal)
        await count_for(principal.name, principal.tenants)
        return principal

    def _reason_of(self, raised: Exception) -> Exception:
        """The error that a call is answered with. That others were in its way is not why it failed
        where the database answers nobody.
        """
        if self.silence.is_long and isinstance(raised, self._database_unavailable):
            return raised
        return self._translated(raised) or raised

    async def _fail(self, method: str, error: Exception, context: Context) -> None:
        match error:
            case RpcError():
                self._admission.note(method, error, _CALLER.get(None), context)
                await abort(context, error)
            case grpc.aio.AbortError():
                raise error
            case _ if isinstance(error, self._value_refused):
                self._log.error("value_refused", method=method, exc_info=error)
                await abort(context, value_refused())
            case _ if isinstance(error, self._database_unavailable):
                self._unavailable.add((method, repr(error)))
                await abort(context, _unavailable(error, self.silence))
            case _:
                self._log.error("call_failed", method=method, exc_info=error)
                # gRPC would say what was raised, with the content of a row if that was refused.
                await context.abort(grpc.StatusCode.UNKNOWN, DEFECT)

    def _log_unavailable(self, latest: tuple[str, str], calls: int) -> None:
        method, error = latest
        self._log.warning("database_unavailable", calls=calls, method=method, error=error)

    def end(self) -> None:
        """Log what the throttled logs still hold. Call it after the last call."""
        self._unavailable.end()
        self._admission.end()

    def _code_of(self, error: Exception, context: Context) -> str:
        match error:
            case RpcError():
                return error.code.name
            case grpc.aio.AbortError():
                return CODE_NAMES[context.code()]
            case _ if isinstance(error, self._value_refused):
                return grpc.StatusCode.INVALID_ARGUMENT.name
            case _ if isinstance(error, self._database_unavailable):
                return grpc.StatusCode.UNAVAILABLE.name
            case _:
                return grpc.StatusCode.UNKNOWN.name


def _unavailable(error: Exception, silence: Silence) -> RpcError:
    if is_full(error):
        message = f"{DISK_FULL}, and nothing was stored; make room there, then retry this call"
        return RpcError("DATABASE_FULL", message)
    if silence.is_long:
        return silence.error(leaves_time=True)
    return RpcError("DATABASE_UNAVAILABLE", "the database is unavailable; retry this call")


class _Wrapped(NamedTuple):
    """A method: its handler, the one that refuses, where its calls count, if they do, and whether
    its request is one message. For gRPC every request is a stream, so that it is received here.
    """

    handler: "grpc.RpcMethodHandler[Any, Any]"
    refusal: "grpc.RpcMethodHandler[Any, Any]"
    room: Room | None
    has_one_request: bool


def _counting(behave: Any, serialize: Any) -> Any:
    """A behaviour whose answers are bytes, and count while their caller does not take them."""

    async def call(request: Any, context: Context) -> bytes:
        answer = await behave(request, context)
        # Here, unless it is done: a serializer cannot answer with an error.
        data: bytes = answer if isinstance(answer, bytes) else serialize(answer)
        if in_flight := call_of_this_task():
            in_flight.answered(len(data))
        return data

    return call
