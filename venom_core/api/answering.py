"""Sending an answer of a model to a client that may leave, whatever the wire.

The call is opened inside the answer, so that a client who leaves while the model still loads frees
its place too. What is sent is the wire's own: see :class:`EventShape`.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Send

from venom_core.api.errors import ending_of, error_response, internal_error
from venom_core.api.queueing import QueueNotes
from venom_core.api.revocation import while_allowed
from venom_core.api.streaming import Clock, ping, start_events, until_disconnect
from venom_core.chat.place import told_of
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService, Queued
    from venom_core.chat.stream import ChatStream

MAX_EXPLANATION = 4096
_IN_HEADERS = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class EventShape(Protocol):
    """A stream of events in a wire's own form. Bytes are whole events; empty ones say nothing."""

    def frame(self, frame: Frame) -> bytes:
        """Return the events of one piece of the answer."""

    def end(self) -> bytes:
        """Return what ends an answer that is whole."""

    def failed(self, error: VenomError) -> bytes:
        """Return what ends an answer that broke off."""


class ModelAnswer(Response):
    """The ASGI answer to one request to a model. A wire says how it is sent; a class of its own
    says otherwise what is opened, heard and let go."""

    #: Whether the stream's form has comments, which a silent one is kept alive with.
    pinged = True

    def __init__(self, service: ChatService, call: ChatCall, request: Request) -> None:
        self._service = service
        self._call = call
        self._request = request
        self._named = 0  # of the parameters that were left out, those that the head names

    async def __call__(self, scope: object, receive: Receive, send: Send) -> None:
        async with until_disconnect(receive):
            notes = self._notes(send)
            try:
                async with while_allowed(self._request):
                    stream = await (
                        self._opened() if notes is None else notes.during(self._opened(notes.tell))
                    )
            except Exception as error:
                refusal = error if isinstance(error, VenomError) else internal_error(error)
                if notes is not None and notes.begun:
                    last = self._broken_off(refusal)
                    await send({"type": "http.response.body", "body": last})
                    return
                response = error_response(self._request.scope, refusal)
                response.headers.update(self._own_headers())
                await response(self._request.scope, receive, send)
                return
            try:
                begun = notes is not None and notes.begun
                if self._call.stream:
                    await self._stream(stream, send, begun=begun)
                else:
                    await self._send_object(stream, send)
            finally:
                await self._left(stream)

    async def _stream(self, stream: ChatStream, send: Send, *, begun: bool) -> None:
        if not begun:
            await send(start_events(self._head(stream)))
        elif late := stream.left_out[self._named :]:
            note = b": ignored %s\n\n" % header_text(", ".join(late)).encode()
            await send({"type": "http.response.body", "body": note, "more_body": True})
        shape, request = self._shape(stream), self._request
        await send_events(self._frames(stream), shape, request, send, pinged=self.pinged)

    async def _send_object(self, stream: ChatStream, send: Send) -> None:
        request, headers = self._request, self._head(stream)
        try:
            async with while_allowed(request):
                frames = [frame async for frame in self._frames(stream)]
            body = self._object(stream, frames[0])
            response = Response(body, 200, headers, "application/json")
        except Exception as error:
            refusal = error if isinstance(error, VenomError) else internal_error(error)
            response = error_response(request.scope, refusal)
        await response(request.scope, request.receive, send)

    def _shape(self, stream: ChatStream) -> EventShape:
        """Return the form of a streamed answer."""
        raise NotImplementedError

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        """Return a whole answer, from its one frame."""
        raise NotImplementedError

    def _broken_off(self, error: VenomError) -> bytes:
        """Return what ends a stream that had only places in the queue."""
        raise NotImplementedError

    def _opened(self, queued: Queued | None = None) -> Awaitable[ChatStream]:
        return self._service.open(self._call, queued)

    def _frames(self, stream: ChatStream) -> AsyncGenerator[Frame, None]:
        return stream.frames()

    async def _left(self, stream: ChatStream) -> None:
        await stream.close()

    def _own_headers(self) -> dict[str, str]:
        return {"X-Request-Id": self._call.request_id}

    def _notes(self, send: Send) -> QueueNotes | None:
        if not self._call.stream or self._request.headers.get("venom-queue") != "1":
            return None
        return QueueNotes(lambda stream: send(start_events(self._head(stream))), send)

    def _head(self, stream: ChatStream) -> dict[str, str]:
        self._named = len(stream.left_out)
        headers = {**answer_headers(stream), **self._own_headers()}
        if self._request.headers.get("venom-explain") == "1":
            headers["Venom-Explain"] = explanation(stream)
        return headers


def answer_headers(stream: ChatStream) -> dict[str, str]:
    return {name: header_text(text) for name, text in told_of(stream).items()}


def header_text(text: str) -> str:
    """Return a text as a header can hold it: what is no printable ASCII, and the percent sign, as
    ``%XX`` of its UTF-8."""
    return quote(text.encode("utf-8", "replace"), safe=_IN_HEADERS)


def explanation(stream: ChatStream) -> str:
    """Explain to a caller who asked: each parameter's origin, those that were ignored and the
    upstream body, as base64 of JSON, since a body may hold any character and a header may not.

    Clients read headers of some KiB at most, so a long conversation is left out.
    """
    body = dict(stream.upstream_body)
    if len(json.dumps(body)) > MAX_EXPLANATION:
        body = {k: v for k, v in body.items() if k not in ("messages", "prompt")}
    told = {
        "origins": dict(stream.origins),
        "values": dict(stream.values),
        "ignored": list(stream.left_out),
        "upstream_body": body,
    }
    return base64.b64encode(json.dumps(told).encode()).decode()


async def send_events(
    made: AsyncGenerator[Frame, None],
    shape: EventShape,
    request: Request,
    send: Send,
    *,
    pinged: bool = True,
) -> None:
    """Send an answer as it comes, up to its end or to what broke it off."""
    clock = Clock(time.monotonic())
    pings = asyncio.create_task(ping(send, clock)) if pinged else None
    lost: BaseException | None = None
    try:
        async with while_allowed(request), contextlib.aclosing(made) as frames:
            async for frame in frames:
                event = shape.frame(frame)
                clock.sent_at = time.monotonic()
                await send({"type": "http.response.body", "body": event, "more_body": True})
        last = shape.end()
    except GeneratorExit:
        raise
    except BaseException as error:
        last = shape.failed(ending_of(error))
        lost = None if isinstance(error, Exception) else error
    finally:
        if pings is not None:
            pings.cancel()
    await send({"type": "http.response.body", "body": last})
    if lost is not None:
        raise lost
