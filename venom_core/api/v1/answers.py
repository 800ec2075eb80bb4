"""Questions to a conversation whose answers the server finishes, whoever leaves meanwhile: ask,
follow from the beginning, stop. The events are those of ``/v1/chat/completions``."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from venom_core.api.callers import caller_of, request_id, traceparent
from venom_core.api.errors import ending_of, error_response
from venom_core.api.health import venom_of
from venom_core.api.language import frame_in_language, localized
from venom_core.api.openai.answers import answer_headers, error_event
from venom_core.api.openai.bodies import check_chat
from venom_core.api.openai.queueing import as_comment
from venom_core.api.openai.wire import ChatCompletionChunk
from venom_core.api.openapi.declared import answers
from venom_core.api.revocation import while_allowed
from venom_core.api.routing import keyed_router
from venom_core.api.streaming import Clock, ping, start_events, until_disconnect
from venom_core.api.v1.sessions import SessionId, owner_of
from venom_core.chat.answers import RunningAnswer
from venom_core.chat.service import ChatCall
from venom_core.chat.sessions import content_of
from venom_core.chat.transcripts import MAX_CONTENT, kept_details, most_details
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Envelope, Frame
from venom_core.store.sessions import Message
from venom_core.usecases.models import Done

router = keyed_router("/sessions")

MessageId = Annotated[str, Path(min_length=1, max_length=64)]
#: Fields of a chat request that a conversation itself decides.
OURS = frozenset({"messages", "model", "stream", "stream_options", "n"})


class AnswerBegun(TypedDict):
    """``message_id`` is the answer's: it is followed and stopped by it."""

    success: bool
    question_id: str
    message_id: str


class SessionQuestion(Body):
    """A question to a session; one that is not there is made. ``parent_message_id`` is the message
    that it follows, ``root`` for none, and without it the latest answer. ``details`` has the images
    that it comes with. ``system`` holds for this question and, where it begins the session, is kept
    there. ``parameters`` are those of ``/v1/chat/completions``. Without ``follow`` the answer's id
    comes at once, and nothing of the answer."""

    question: str = Field(min_length=1, max_length=MAX_CONTENT)
    model: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
    parent_message_id: str | None = Field(default=None, min_length=1, max_length=64)
    system: str | None = Field(default=None, max_length=MAX_CONTENT)
    details: dict[str, Any] | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    follow: bool = True

    @field_validator("details")
    @classmethod
    def _bounded(cls, details: dict[str, Any] | None) -> dict[str, Any] | None:
        limit = most_details("user")
        if details is not None and len(json.dumps(details)) > limit:
            raise PydanticCustomError("too_long", f"more than {limit} characters")
        return kept_details(details)

    @field_validator("parameters")
    @classmethod
    def _not_ours(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if found := sorted(OURS & parameters.keys()):
            raise PydanticCustomError("ours", f"{found[0]} is no parameter of a question")
        return parameters


@router.post("/{session_id}/answers")
@answers(AnswerBegun, events={"": ChatCompletionChunk})
async def ask_in_session(
    request: Request, session_id: SessionId, body: SessionQuestion
) -> Response:
    """Ask, and stream the answer up to ``[DONE]``. It goes on where the client leaves, and is kept
    when it ends, as far as it came. ``Venom-Question-Id`` and ``Venom-Answer-Id`` name what is
    kept, also where the question is refused."""
    sessions, owner = venom_of(request).sessions, owner_of(request)
    talk = await sessions.conversation(owner, session_id, body.parent_message_id)
    begins = not talk.path and body.system
    first = [Message("system", body.system or "")] if begins else []
    parent = [*talk.path, *first][-1].id if talk.path or first else None
    question = Message("user", body.question, parent, details=body.details)
    messages = talk.messages(body.question)
    messages[-1]["content"] = content_of("user", body.question, body.details)
    if body.system:
        rest = messages[1:] if messages[0]["role"] == "system" else messages
        messages = [{"role": "system", "content": body.system}, *rest]
    told = {**body.parameters, "messages": messages, "stream": True}
    call = ChatCall(
        model=body.model or talk.model,
        body=check_chat(json.dumps(told).encode()),
        request_id=request_id(request),
        stream=True,
        include_usage=True,
        key_id=caller_of(request).key_id,
        traceparent=traceparent(request),
    )
    allowed = request.state.while_allowed
    answer = await sessions.ask(talk, [*first, question], call, allowed)
    if body.follow:
        return FollowedAnswer(answer, request)
    begun: AnswerBegun = {"success": True, "question_id": question.id, "message_id": answer.id}
    return JSONResponse(begun)


@router.get("/{session_id}/answers/{message_id}")
@answers(events={"": ChatCompletionChunk})
async def follow_answer(request: Request, session_id: SessionId, message_id: MessageId) -> Response:
    """Stream an answer that is being written from its beginning on; one that has ended is in the
    session."""
    sessions, owner = venom_of(request).sessions, owner_of(request)
    return FollowedAnswer(sessions.answer(owner, session_id, message_id), request)


@router.post("/{session_id}/answers/{message_id}/stop")
@answers(Done)
async def stop_answer(request: Request, session_id: SessionId, message_id: MessageId) -> Response:
    """Stop an answer; what was said is kept by then."""
    await venom_of(request).sessions.stop(owner_of(request), session_id, message_id)
    done: Done = {"success": True, "message": f"{message_id} was stopped."}
    return localized(request, done)


class FollowedAnswer(Response):
    """The ASGI answer to one who follows: who leaves ends nothing but this."""

    def __init__(self, answer: RunningAnswer, request: Request) -> None:
        self._answer = answer
        self._request = request
        self._clock: Clock | None = None
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        pings: list[asyncio.Task[None]] = []
        lost: BaseException | None = None
        async with until_disconnect(receive):
            try:
                async with while_allowed(self._request):
                    await self._follow(send, pings)
                last = b""
            except GeneratorExit:
                raise
            except BaseException as error:
                refusal = ending_of(error)
                lost = None if isinstance(error, Exception) else error
                if self._clock is None:
                    await self._refuse(refusal, scope, receive, send)
                    return
                last = error_event(refusal, self._request)
            finally:
                for task in pings:
                    task.cancel()
            await send({"type": "http.response.body", "body": last + b"data: [DONE]\n\n"})
            if lost is not None:
                raise lost

    async def _refuse(
        self, refusal: VenomError, scope: Scope, receive: Receive, send: Send
    ) -> None:
        response = error_response(scope, refusal)
        response.headers.update(self._own_headers())
        await response(scope, receive, send)

    async def _follow(self, send: Send, pings: list[asyncio.Task[None]]) -> None:
        answer, call = self._answer, self._answer.call
        noted = self._request.headers.get("venom-queue") == "1"
        envelope: Envelope | None = None
        async for news in answer.follow():
            if isinstance(news, int) and not noted:
                continue
            stream = answer.stream
            if stream is None:  # its end before anything was known of it
                continue
            if envelope is None or self._clock is None:
                model = call.model or stream.resolved.id
                created = int(time.time())
                envelope = Envelope(f"chatcmpl-{answer.id}", created, model, include_usage=True)
                self._clock = Clock(time.monotonic())
                await send(start_events({**answer_headers(call, stream), **self._own_headers()}))
                pings.append(asyncio.create_task(ping(send, self._clock)))
            if isinstance(news, int):
                event = as_comment(news)
            else:
                frame = frame_in_language(Frame.of(news), self._request.scope)
                event = b"data: " + frame.json(envelope) + b"\n\n"
            self._clock.sent_at = time.monotonic()
            await send({"type": "http.response.body", "body": event, "more_body": True})

    def _own_headers(self) -> dict[str, str]:
        return {
            "X-Request-Id": self._answer.call.request_id,
            "X-Session-Id": self._answer.talk.session_id,
            "Venom-Question-Id": self._answer.question.id,
            "Venom-Answer-Id": self._answer.id,
        }
