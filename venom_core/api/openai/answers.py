"""Sending an answer, as one JSON object or a stream of events, to a client that may leave."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import time
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Send

from venom_core.api.errors import ending_of, error_response, internal_error, openai_error
from venom_core.api.language import frame_in_language, language_of
from venom_core.api.openai.queueing import QueueNotes
from venom_core.api.revocation import while_allowed
from venom_core.api.streaming import Clock, ping, start_events, until_disconnect
from venom_core.chat.place import told_of
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Envelope, Frame
from venom_core.sdk.request_ids import fresh

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService, Queued
    from venom_core.chat.stream import ChatStream

MAX_EXPLANATION = 4096
_IN_HEADERS = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_PREFIX = {"chat": "chatcmpl-", "completion": "cmpl-"}


class AnswerResponse(Response):
    """The ASGI answer to one chat or completion request.

    The call is opened inside the answer, so that a client who leaves while the model still loads
    frees its place too. A class of its own says otherwise what is opened, heard and let go.
    """

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
                    await send(_last(error_event(refusal, self._request)))
                    return
                response = error_response(self._request.scope, refusal)
                response.headers.update(self._own_headers())
                await response(self._request.scope, receive, send)
                return
            try:
                await self._send(stream, send, begun=notes is not None and notes.begun)
            finally:
                await self._left(stream)

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

    async def _send(self, stream: ChatStream, send: Send, *, begun: bool) -> None:
        call = self._call
        envelope = Envelope(
            id=_PREFIX[call.wire] + fresh(),
            created=int(time.time()),
            model=call.model or stream.resolved.id,
            wire=call.wire,
            include_usage=call.include_usage,
        )
        if call.stream:
            if not begun:
                await send(start_events(self._head(stream)))
            elif late := stream.left_out[self._named :]:
                note = b": ignored %s\n\n" % header_text(", ".join(late)).encode()
                await send({"type": "http.response.body", "body": note, "more_body": True})
            await _send_events(self._frames(stream), envelope, self._request, send)
        else:
            await _send_object(stream, envelope, self._head(stream), self._request, send)


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


async def _send_object(
    stream: ChatStream, envelope: Envelope, headers: dict[str, str], request: Request, send: Send
) -> None:
    try:
        async with while_allowed(request):
            frames = [frame async for frame in stream.frames()]
        answer = frame_in_language(frames[0], request.scope)
        response = Response(answer.json(envelope), 200, headers, "application/json")
    except Exception as error:
        refusal = error if isinstance(error, VenomError) else internal_error(error)
        response = error_response(request.scope, refusal)
    await response(request.scope, request.receive, send)


def _last(event: bytes) -> Message:
    return {"type": "http.response.body", "body": event + b"data: [DONE]\n\n"}


async def _send_events(
    made: AsyncGenerator[Frame, None], envelope: Envelope, request: Request, send: Send
) -> None:
    clock = Clock(time.monotonic())
    pings = asyncio.create_task(ping(send, clock))
    lost: BaseException | None = None
    try:
        async with while_allowed(request), contextlib.aclosing(made) as frames:
            async for frame in frames:
                told = frame_in_language(frame, request.scope)
                event = b"data: " + told.json(envelope) + b"\n\n"
                clock.sent_at = time.monotonic()
                await send({"type": "http.response.body", "body": event, "more_body": True})
        last = b""
    except GeneratorExit:
        raise
    except BaseException as error:
        last = error_event(ending_of(error), request)
        lost = None if isinstance(error, Exception) else error
    finally:
        pings.cancel()
    await send(_last(last))
    if lost is not None:
        raise lost


def error_event(error: VenomError, request: Request) -> bytes:
    told = openai_error(error, language_of(request.scope))
    return b"data: " + json.dumps(told).encode() + b"\n\n"
