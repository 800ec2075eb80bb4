"""``POST /llm/simple/stream``: one question, its answer as server-sent events, and the session that
both are kept in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from fastapi import Request
from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from venom_core.api.answering import answer_headers
from venom_core.api.callers import caller_of, request_id, traceparent
from venom_core.api.errors import ending_of, error_response
from venom_core.api.health import venom_of
from venom_core.api.language import in_language, language_of
from venom_core.api.queueing import QueueNotes
from venom_core.api.revocation import while_allowed
from venom_core.api.routing import keyed_router
from venom_core.api.streaming import Events, start_events, until_disconnect
from venom_core.api.v1.sessions import SESSION_ID, owner_of
from venom_core.chat.service import ChatCall
from venom_core.chat.sessions import AnswerParts, Conversation, exchange
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.sdk.errors import Conflict, InvalidRequest, ModelNotFound, VenomError
from venom_core.sdk.frames import Choice, Chunk, encode_usage
from venom_core.sdk.utc import utc_text

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream
    from venom_core.composition import Venom
from typing_extensions import TypedDict

from venom_core.api.openapi.declared import NoData, answers
from venom_core.api.v1.models.translation import TextPiece
from venom_core.sdk.records import ErrorRecord, TokenUsage

router = keyed_router()


class FunctionPiece(TypedDict):
    """Pieces of ``arguments`` of one call belong together."""

    name: str | None
    arguments: str


class ToolCallPiece(TypedDict):
    index: int
    id: str | None
    function: FunctionPiece


class ToolCallPieces(TypedDict):
    tool_calls: list[ToolCallPiece]


class Telemetry(TypedDict):
    """``model`` is the reference of the one that answered; times are null where nothing came;
    ``finish_note`` is a sentence where the reason alone does not say why the answer ended."""

    model: str
    finish_reason: str | None
    finish_note: str | None
    time_to_first_token_ms: float | None
    tokens_per_second: float | None
    usage: TokenUsage | None
    ignored_parameters: list[str]


class KeptAnswer(TypedDict, total=False):
    """The ids of what is kept, where the question named a session."""

    session_id: str
    question_id: str
    message_id: str


class QueuePlace(TypedDict):
    """``place`` counts those that are served before this one, itself included; 0 when its turn has
    come."""

    place: int


SIMPLE_EVENTS = {
    "queue": QueuePlace,
    "start": NoData,
    "content": TextPiece,
    "reasoning": TextPiece,
    "tool_calls": ToolCallPieces,
    "telemetry": Telemetry,
    "done": KeptAnswer,
    "error": ErrorRecord,
}


class SimpleQuestion(Body):
    """``parent_message_id`` is the message of the session that the question follows, ``root`` for
    none; without it the latest."""

    content: str = Field(min_length=1, max_length=50_000)
    model: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
    max_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    response_format: dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = Field(default=None, max_length=128)
    tool_choice: str | dict[str, Any] | None = None
    think: bool | None = None
    session_id: str | None = Field(default=None, pattern=SESSION_ID)
    parent_message_id: str | None = Field(default=None, min_length=1, max_length=64)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the request, by OpenAI's names."""
        names = ("max_tokens", "temperature", "top_p", "response_format", "tools", "tool_choice")
        found = {name: getattr(self, name) for name in names}
        if self.think is not None:
            found["reasoning_effort"] = "medium" if self.think else "none"
        return {name: value for name, value in found.items() if value is not None}


@router.post("/llm/simple/stream")
@answers(events=SIMPLE_EVENTS)
async def simple_stream(request: Request, body: SimpleQuestion) -> Response:
    """Stream events: ``start``, then ``content``, ``reasoning``, ``tool_calls`` as they come, then
    ``telemetry`` and ``done``, or ``error``: the last event is one of these two, once."""
    venom = venom_of(request)
    if body.session_id is None and body.parent_message_id is not None:
        raise InvalidRequest(
            "parent_message_id needs session_id.",
            param="parent_message_id",
            fix="Name the session that the message is in.",
        )
    talk = Conversation(owner_of(request), "")
    if body.session_id is not None:
        talk = await venom.conversations.conversation(
            talk.owner, body.session_id, body.parent_message_id
        )
    model = body.model or talk.model
    if model is None and venom.manager.is_switching("chat"):
        raise Conflict(
            "The active model is being changed just now.",
            code="switch_in_progress",
            fix="Try again in a moment, or name a model.",
        )
    call = ChatCall(
        model=model,
        body={"messages": talk.messages(body.content), **body.parameters()},
        request_id=request_id(request),
        stream=True,
        include_usage=True,
        key_id=caller_of(request).key_id,
        system=venom.settings.core.simple_mode_system_prompt,
        traceparent=traceparent(request),
    )
    return SimpleAnswer(venom, call, talk, body.content, request)


class SimpleAnswer(Response):
    """The ASGI answer; like ``/v1`` it opens the call inside, so that a client who leaves while the
    model still loads frees its place."""

    def __init__(
        self, venom: Venom, call: ChatCall, talk: Conversation, question: str, request: Request
    ) -> None:
        self._venom = venom
        self._call = call
        self._talk = talk
        self._question = question
        self._request = request
        self._asked_at = utc_text()
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with until_disconnect(receive):
            events = Events(send)
            notes = self._notes(send)
            chat = self._venom.chat
            try:
                async with while_allowed(self._request):
                    stream = await (
                        chat.open(self._call)
                        if notes is None
                        else notes.during(chat.open(self._call, notes.tell))
                    )
            except Exception as error:
                refusal = self._refusal(error)
                if notes is not None and notes.begun:
                    await events.end("error", self._told(refusal))
                    return
                response = error_response(scope, refusal)
                response.headers.update(self._own_headers())
                await response(scope, receive, send)
                return
            try:
                if notes is None or not notes.begun:
                    await self._start(stream, send)
                await self._send(stream, events)
            finally:
                await stream.close()

    def _notes(self, send: Send) -> QueueNotes | None:
        if self._request.headers.get("venom-queue") != "1":
            return None
        return QueueNotes(lambda stream: self._start(stream, send), send, _place)

    def _own_headers(self) -> dict[str, str]:
        headers = {"X-Request-Id": self._call.request_id}
        if self._talk.session_id:
            headers["X-Session-Id"] = self._talk.session_id
        return headers

    async def _start(self, stream: ChatStream, send: Send) -> None:
        await send(start_events({**answer_headers(stream), **self._own_headers()}))
        await Events(send).send("start", {})

    async def _send(self, stream: ChatStream, events: Events) -> None:
        lost: BaseException | None = None
        try:
            async with while_allowed(self._request), events.pinged():
                parts = AnswerParts()
                async with contextlib.aclosing(_pieces(stream, parts)) as pieces:
                    async for name, data in pieces:
                        await events.send(name, data)
                telemetry = _telemetry(stream, parts)
                done = await self._keep(stream, parts, telemetry)
                await events.send("telemetry", self._worded(telemetry))
            last: tuple[str, Mapping[str, Any]] = ("done", done)
        except GeneratorExit:
            raise
        except BaseException as error:
            last = ("error", self._told(self._refusal(error)))
            lost = None if isinstance(error, Exception) else error
        await events.end(*last)
        if lost is not None:
            raise lost

    async def _keep(
        self, stream: ChatStream, parts: AnswerParts, telemetry: Telemetry
    ) -> KeptAnswer:
        """Store the answer before ``done`` is sent, which means that it is in the session."""
        if not self._talk.session_id:
            return {}
        details = {
            "usage": telemetry["usage"],
            "time_to_first_token_ms": telemetry["time_to_first_token_ms"],
            "tokens_per_second": telemetry["tokens_per_second"],
            "request_id": self._call.request_id,
        }
        messages = exchange(
            self._talk,
            self._question,
            self._asked_at,
            parts,
            stream.resolved.reference,
            {name: value for name, value in details.items() if value is not None},
        )
        await self._venom.conversations.keep(self._talk, *messages)
        return {
            "session_id": self._talk.session_id,
            "question_id": messages[0].id,
            "message_id": messages[1].id,
        }

    def _refusal(self, error: BaseException) -> VenomError:
        if isinstance(error, ModelNotFound) and self._call.model is None:
            # The contract's word for it: the request lacks a model, none is missing by its name.
            return InvalidRequest(error.message, code=error.code, param="model", fix=error.fix)
        return ending_of(error)

    def _told(self, error: VenomError) -> dict[str, Any]:
        return self._worded(error.record())

    def _worded(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        return dict(in_language(payload, language_of(self._request.scope)))


def _place(place: int) -> bytes:
    return f"event: queue\ndata: {json.dumps({'place': place})}\n\n".encode()


async def _pieces(
    stream: ChatStream, parts: AnswerParts
) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """Yield the events of an answer, noted in ``parts``. Ends only where the answer is whole."""
    async with contextlib.aclosing(stream.frames()) as frames:
        async for frame in frames:
            event = frame.event
            for choice in event.choices if isinstance(event, Chunk) else ():
                parts.take(choice)
                if choice.reasoning:
                    yield "reasoning", {"text": choice.reasoning}
                if choice.content:
                    yield "content", {"text": choice.content}
                if choice.tool_calls:
                    yield "tool_calls", {"tool_calls": _tool_calls(choice)}


def _tool_calls(choice: Choice) -> list[ToolCallPiece]:
    """Return fragments in OpenAI's shape."""
    shown: list[ToolCallPiece] = []
    for call in choice.tool_calls:
        function: FunctionPiece = {"name": call.name, "arguments": call.arguments}
        shown.append({"index": call.index, "id": call.id, "function": function})
    return shown


def _telemetry(stream: ChatStream, parts: AnswerParts) -> Telemetry:
    account = stream.account
    return {
        "model": stream.resolved.reference,
        "finish_reason": parts.finish_reason,
        "finish_note": parts.finish_note,
        "time_to_first_token_ms": account.ttft_ms,
        "tokens_per_second": account.tokens_per_second,
        "usage": None if account.usage is None else encode_usage(account.usage),
        "ignored_parameters": list(stream.left_out),
    }
