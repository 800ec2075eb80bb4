"""Questions to a conversation whose answers the server finishes, whoever leaves meanwhile: ask,
follow from the beginning, stop. The events are those of ``/v1/chat/completions``."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable
from typing import Annotated, Any, Self

from fastapi import Path, Request
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError
from starlette.responses import JSONResponse, Response
from typing_extensions import TypedDict

from venom_core.api.callers import caller_of, request_id, traceparent
from venom_core.api.health import venom_of
from venom_core.api.language import localized
from venom_core.api.openai.answers import AnswerResponse
from venom_core.api.openai.bodies import check_chat
from venom_core.api.openai.wire import ChatCompletionChunk
from venom_core.api.openapi.declared import answers
from venom_core.api.routing import keyed_router
from venom_core.api.v1.sessions import SessionId, owner_of
from venom_core.chat.answers import RunningAnswer
from venom_core.chat.asking import Asked, ToolResult, new_question, results_as_question
from venom_core.chat.service import ChatCall, Queued
from venom_core.chat.stream import ChatStream
from venom_core.chat.transcripts import MAX_CONTENT, kept_details, most_details
from venom_core.chat.validation import Body
from venom_core.models.references import MAX_LENGTH
from venom_core.sdk.frames import Frame
from venom_core.sdk.messages import LONGEST_NAME
from venom_core.store.sessions import Message, Owner
from venom_core.usecases.models import Done
from venom_core.usecases.sessions import SessionUseCases

router = keyed_router("/sessions")

MessageId = Annotated[str, Path(min_length=1, max_length=64)]
#: Fields of a chat request that a conversation itself decides.
OURS = frozenset({"messages", "model", "stream", "stream_options", "n"})
#: What can be asked, one at a time, and what goes with some of it only.
ASKED = ("question", "tool_results", "question_id", "continue_message_id")
GOES_WITH = {"parent_message_id": ASKED[:2], "details": ASKED[:1]}
#: All results together; they are kept twice, as words and beside them.
MAX_RESULTS = 400_000


class AnswerBegun(TypedDict):
    """``message_id`` is the answer's: it is followed and stopped by it."""

    success: bool
    question_id: str
    message_id: str


class GivenResult(Body):
    """The result of a call of the answer before; ``id`` is the call's."""

    id: str = Field(min_length=1, max_length=LONGEST_NAME)
    content: str = Field(max_length=MAX_RESULTS)


class SessionQuestion(Body):
    """A request for an answer in a session; one that is not there is made. It asks one of four:
    ``question``, ``tool_results`` (one for each call of the answer that they follow),
    ``question_id`` (a question that is there is answered once more) or ``continue_message_id`` (an
    answer that was cut: the new one begins with its words, and the model goes on).

    ``parent_message_id`` is the message that a new question or the results follow, ``root`` for
    none, and without it the latest answer. ``details`` has the images that a question comes with.
    ``system`` holds for this question and, where it begins the session, is kept there.
    ``parameters`` are those of ``/v1/chat/completions``. Without ``follow`` the answer's id comes
    at once, and nothing of the answer."""

    question: str | None = Field(default=None, min_length=1, max_length=MAX_CONTENT)
    tool_results: list[GivenResult] | None = Field(default=None, min_length=1, max_length=128)
    question_id: str | None = Field(default=None, min_length=1, max_length=64)
    continue_message_id: str | None = Field(default=None, min_length=1, max_length=64)
    model: str | None = Field(default=None, min_length=1, max_length=MAX_LENGTH)
    parent_message_id: str | None = Field(default=None, min_length=1, max_length=64)
    system: str | None = Field(default=None, max_length=MAX_CONTENT)
    details: dict[str, Any] | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    follow: bool = True

    @field_validator("tool_results")
    @classmethod
    def _not_too_long(cls, results: list[GivenResult] | None) -> list[GivenResult] | None:
        if results is not None and sum(len(one.content) for one in results) > MAX_RESULTS:
            raise PydanticCustomError("too_long", f"more than {MAX_RESULTS} characters")
        return results

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

    @model_validator(mode="after")
    def _one_of_four(self) -> Self:
        asked = [name for name in ASKED if getattr(self, name) is not None]
        if len(asked) != 1:
            raise PydanticCustomError("one_of", f"exactly one of {', '.join(ASKED)} is asked")
        for name, kinds in GOES_WITH.items():
            if getattr(self, name) is not None and asked[0] not in kinds:
                raise PydanticCustomError("goes_with", f"{name} does not go with {asked[0]}")
        return self

    async def asked(self, sessions: SessionUseCases, owner: Owner, session_id: str) -> Asked:
        """Return what is asked. Raises as ``Sessions.conversation`` and the like."""
        if self.question_id is not None:
            return await sessions.asked_again(owner, session_id, self.question_id)
        if self.continue_message_id is not None:
            return await sessions.gone_on_with(owner, session_id, self.continue_message_id)
        talk = await sessions.conversation(owner, session_id, self.parent_message_id)
        if self.tool_results is not None:
            results = [ToolResult(one.id, one.content) for one in self.tool_results]
            return results_as_question(talk, results)
        question = Message("user", self.question or "", details=self.details)
        return new_question(talk, question, self.system)


@router.post("/{session_id}/answers")
@answers(AnswerBegun, events={"": ChatCompletionChunk})
async def ask_in_session(
    request: Request, session_id: SessionId, body: SessionQuestion
) -> Response:
    """Ask, and stream the answer up to ``[DONE]``. It goes on where the client leaves, and is kept
    when it ends, as far as it came. ``Venom-Question-Id`` and ``Venom-Answer-Id`` name what is
    kept, also where the question is refused."""
    sessions = venom_of(request).sessions
    asked = await body.asked(sessions, owner_of(request), session_id)
    told = {**body.parameters, "messages": asked.messages(body.system), "stream": True}
    call = ChatCall(
        model=body.model or asked.model,
        body=check_chat(json.dumps(told).encode()),
        request_id=request_id(request),
        stream=True,
        include_usage=True,
        key_id=caller_of(request).key_id,
        traceparent=traceparent(request),
    )
    answer = await sessions.ask(asked, call, request.state.while_allowed)
    if body.follow:
        return FollowedAnswer(answer, request)
    question_id = answer.question.id
    begun: AnswerBegun = {"success": True, "question_id": question_id, "message_id": answer.id}
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


class FollowedAnswer(AnswerResponse):
    """The ASGI answer to one who follows: who leaves ends nothing but this."""

    def __init__(self, answer: RunningAnswer, request: Request) -> None:
        super().__init__(venom_of(request).chat, answer.call, request)
        self._answer = answer
        self.background = None

    def _opened(self, queued: Queued | None = None) -> Awaitable[ChatStream]:
        return self._answer.opened(queued)

    def _frames(self, stream: ChatStream) -> AsyncGenerator[Frame, None]:
        return self._answer.frames()

    async def _left(self, stream: ChatStream) -> None:
        pass

    def _own_headers(self) -> dict[str, str]:
        return {
            **super()._own_headers(),
            "X-Session-Id": self._answer.talk.session_id,
            "Venom-Question-Id": self._answer.question.id,
            "Venom-Answer-Id": self._answer.id,
        }
