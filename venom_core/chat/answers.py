"""Answers to the questions of conversations: made whether somebody listens or not, and kept.

Each is a task of its own that ends with the server at the latest. What was said is in the store
every few seconds and at the end, whatever the end is: whole, stopped, refused or broken off.
Everybody who follows one hears it from its beginning; how slowly they read is their own affair,
since nothing is kept for them but the answer itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Literal

from typing_extensions import TypedDict

from venom_core.chat.asking import Asked
from venom_core.chat.service import ChatCall, ChatService, Queued
from venom_core.chat.sessions import UNFINISHED, AnswerParts, Conversation, Sessions, answer_cut
from venom_core.chat.stream import ChatStream
from venom_core.chat.transcripts import MAX_CONTENT
from venom_core.sdk.errors import (
    Conflict,
    NotFound,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    VenomError,
)
from venom_core.sdk.frames import Choice, Chunk, Frame, ToolCall, encode_usage
from venom_core.store.sessions import Message, Owner

log = logging.getLogger(__name__)

#: Answers that one owner may have under way.
MOST_ANSWERS = 8
#: How much of an answer the end of this process costs, however hard it comes.
KEPT_SECONDS = 2.0
#: So long an answer that has ended can be followed still, and so many of them: whoever asked, or
#: reads a conversation, comes a moment later.
LINGERS_SECONDS = 30.0
MOST_LINGERING = 32
#: Guards what a caller has begun: ends it where the caller is no longer let in.
Guard = Callable[[], AbstractAsyncContextManager[None]]


class AnswerUnderWay(TypedDict):
    """An answer that is being made; ``place`` counts those that are served before it, itself
    included, and is 0 where its turn has come."""

    message_id: str
    question_id: str
    state: Literal["waiting", "answering"]
    place: int


@dataclass(slots=True)
class _Heard:
    """The part of an answer that somebody has heard."""

    content: int = 0
    reasoning: int = 0
    calls: int = 0


@dataclass(slots=True, eq=False)
class RunningAnswer:
    """An answer under way. ``call`` is what is sent, ``id`` names what is kept of it; ``stream`` is
    None as long as nothing is known of the model that answers."""

    asked: Asked
    id: str
    call: ChatCall
    stream: ChatStream | None = None
    began: bool = False
    place: int = 0
    error: VenomError | None = None
    ended: bool = False
    #: Why it is to end before it is whole; None where nobody said so.
    cancelled_by: Literal["person", "deletion", "server"] | None = None
    task: asyncio.Task[None] | None = None
    parts: AnswerParts = field(init=False)
    _calls: list[ToolCall] = field(default_factory=list)
    _size: int = 0
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.parts = AnswerParts.of(self.asked.begun)
        self._size = sum(map(len, (*self.parts.content, *self.parts.reasoning)))

    @property
    def talk(self) -> Conversation:
        return self.asked.talk

    @property
    def question(self) -> Message:
        return self.asked.question

    def record(self) -> AnswerUnderWay:
        """Return what its owner is told of it."""
        state: Literal["waiting", "answering"] = "answering" if self.began else "waiting"
        told = (self.id, self.question.id, state, self.place)
        return {"message_id": told[0], "question_id": told[1], "state": told[2], "place": told[3]}

    def queued(self, stream: ChatStream, place: int) -> None:
        self.stream, self.place = stream, place
        self.change()

    def take(self, choice: Choice) -> None:
        """Add a piece. Raises ``UpstreamError`` where it is longer than what is kept of one."""
        self.parts.take(choice)
        self._calls += choice.tool_calls
        pieces = (choice.content, choice.reasoning, *(one.arguments for one in choice.tool_calls))
        self._size += sum(len(piece) for piece in pieces if piece)
        self.change()
        if self._size > MAX_CONTENT:
            raise UpstreamError(
                f"The answer is longer than {MAX_CONTENT:,} characters.",
                code="answer_too_long",
                fix="Set max_tokens, or ask for less at a time.",
            )

    def change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def cancel(self, by: Literal["person", "deletion", "server"]) -> None:
        """End it before it is whole; the first who says so is the reason."""
        if self.cancelled_by is None and not self.ended:
            self.cancelled_by = by
            self.end_task()

    def end_task(self) -> None:
        """Cancel its task after that has begun: one that is cancelled before keeps nothing."""
        if self.task is not None:
            asyncio.get_running_loop().call_soon(self.task.cancel)

    async def over(self) -> None:
        """Wait until it has ended and what there is of it is kept."""
        if self.task is not None:
            await asyncio.wait({self.task})

    async def opened(self, queued: Queued | None = None) -> ChatStream:
        """Wait until it has begun; ``queued`` hears its place meanwhile. Raises the ``VenomError``
        that it ended with before that."""
        place = 0
        while not self.began and not self.ended:
            changed, stream = self._changed, self.stream
            if queued is not None and stream is not None and self.place != place:
                place = self.place
                queued(stream, place)
            await changed.wait()
        if self.stream is not None and self.began:
            return self.stream
        raise (self.error or answer_cut()).again()

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield what it is from the beginning on, then what comes, each piece with everything since
        the last one. Raises the ``VenomError`` that it ended with."""
        heard = _Heard()
        while True:
            changed, over = self._changed, self.ended
            if (piece := self._since(heard)) is not None:
                yield Frame.of(piece)
            if over:
                break
            await changed.wait()
        if self.error is not None:
            raise self.error.again()
        parts = self.parts
        note: Any = parts.finish_note
        reason: Any = parts.finish_reason
        yield Frame.of(Chunk((Choice(finish_reason=reason, finish_note=note),)))
        usage = None if self.stream is None else self.stream.account.usage
        if usage is not None:
            yield Frame.of(Chunk(usage=usage))

    def _since(self, heard: _Heard) -> Chunk | None:
        parts = self.parts
        content = "".join(parts.content[heard.content :])
        reasoning = "".join(parts.reasoning[heard.reasoning :])
        calls = tuple(self._calls[heard.calls :])
        heard.content, heard.reasoning = len(parts.content), len(parts.reasoning)
        heard.calls = len(self._calls)
        if not (content or reasoning or calls):
            return None
        return Chunk(
            (Choice(content=content or None, reasoning=reasoning or None, tool_calls=calls),)
        )

    def kept(self, *, whole: bool) -> Message:
        """Return the answer as it is stored."""
        details = self.parts.details()
        if not whole:
            details[UNFINISHED] = True
        elif self.cancelled_by == "person":
            details["stopped"] = True
        elif self.error is not None:
            details["error"] = self.error.record()
        stream = self.stream
        model = None if stream is None else stream.resolved.reference
        if stream is not None and whole:
            details |= _figures(stream)
        if self.asked.begun is not None:
            details["continues"] = self.asked.begun.id
        details["request_id"] = self.call.request_id
        return Message("assistant", self.parts.text, self.question.id, model, details, id=self.id)


def _figures(stream: ChatStream) -> Mapping[str, Any]:
    account = stream.account
    found = {
        "usage": None if account.usage is None else encode_usage(account.usage),
        "time_to_first_token_ms": account.ttft_ms,
        "tokens_per_second": account.tokens_per_second,
    }
    return {name: value for name, value in found.items() if value is not None}


class Answers:
    """The answers under way of all owners.

    Args:
        chat: the only door to a model.
        sessions: keeps what is said.
    """

    def __init__(self, chat: ChatService, sessions: Sessions) -> None:
        self._chat = chat
        self._sessions = sessions
        self._running: dict[str, RunningAnswer] = {}
        self._lingering: dict[str, RunningAnswer] = {}
        self._closed = False

    def of(self, owner: Owner, session_id: str) -> list[RunningAnswer]:
        """Return the answers under way in a conversation, the oldest first."""
        return [
            one
            for one in self._running.values()
            if one.talk.owner == owner and one.talk.session_id == session_id
        ]

    def find(self, owner: Owner, session_id: str, answer_id: str) -> RunningAnswer:
        """Return an answer under way, or one that has just ended. Raises ``NotFound``
        (``answer_not_found``)."""
        found = self._running.get(answer_id) or self._lingering.get(answer_id)
        if found is None or (found.talk.owner, found.talk.session_id) != (owner, session_id):
            raise NotFound(
                "This answer is not being written now.",
                code="answer_not_found",
                param="message_id",
                fix="Read the conversation: what was said is kept there.",
            )
        return found

    async def begin(self, asked: Asked, call: ChatCall, allowed: Guard) -> RunningAnswer:
        """Keep the question, and begin its answer, which ``allowed`` guards on behalf of whoever
        asked. Raises ``RateLimited`` (``too_many_answers``), and as ``Sessions.keep``.
        """
        if self._closed:
            raise Unavailable(
                "The server is stopping.", code="server_stopping", fix="Try again in a moment."
            )
        talk = asked.talk
        mine = [one for one in self._running.values() if one.talk.owner == talk.owner]
        if len(mine) >= MOST_ANSWERS:
            raise RateLimited(
                f"{MOST_ANSWERS} answers are being written for this key already.",
                code="too_many_answers",
                fix="Wait for one to end, or stop one.",
            )
        answer = RunningAnswer(asked, Message("assistant", "").id, call)
        self._running[answer.id] = answer
        self._sessions.being_written.add(answer.id)
        try:
            await self._sessions.keep(talk, *asked.added, answer.kept(whole=False))
        except BaseException:
            self._forget(answer)
            raise
        name = f"answer {answer.id}"
        answer.task = asyncio.create_task(self._make(answer, allowed), name=name)
        if answer.cancelled_by is not None:  # while its question was being kept
            answer.end_task()
        return answer

    async def stop(self, owner: Owner, session_id: str, answer_id: str) -> None:
        """Stop an answer at the wish of its owner; returns when what was said is kept. One that has
        just ended stays as it is. Raises ``NotFound``."""
        answer = self.find(owner, session_id, answer_id)
        answer.cancel("person")
        await answer.over()

    async def drop(self, owner: Owner, session_id: str) -> None:
        """End the answers of a conversation that is about to be deleted."""
        for answer in self.of(owner, session_id):
            answer.cancel("deletion")
            await answer.over()
        for answer in list(self._lingering.values()):
            if (answer.talk.owner, answer.talk.session_id) == (owner, session_id):
                del self._lingering[answer.id]

    async def close(self) -> None:
        """End every answer; what was said is kept, and said to be cut."""
        self._closed = True
        running = list(self._running.values())
        for answer in running:
            answer.cancel("server")
        for answer in running:
            await answer.over()

    async def _make(self, answer: RunningAnswer, allowed: Guard) -> None:
        try:
            async with allowed():
                answer.stream = await self._chat.open(answer.call, answer.queued)
                try:
                    await self._read(answer, answer.stream)
                finally:
                    await answer.stream.close()
        except VenomError as error:
            answer.error = error
        except asyncio.CancelledError:
            answer.error = _stopped() if answer.cancelled_by == "person" else answer_cut()
        except Exception as error:
            log.error("an answer failed", exc_info=error)
            answer.error = VenomError("Venom failed at this request.")
        await self._end(answer)

    async def _read(self, answer: RunningAnswer, stream: ChatStream) -> None:
        answer.began = True
        answer.change()
        kept_at = time.monotonic()
        async with contextlib.aclosing(stream.frames()) as frames:
            async for frame in frames:
                event = frame.event
                for choice in event.choices if isinstance(event, Chunk) else ():
                    answer.take(choice)
                if time.monotonic() - kept_at > KEPT_SECONDS:
                    with contextlib.suppress(StorageError):  # at its end that counts
                        await self._keep(answer, whole=False)
                    kept_at = time.monotonic()

    async def _end(self, answer: RunningAnswer) -> None:
        """Keep the answer, and let go of whoever follows it."""
        try:
            if answer.cancelled_by != "deletion":
                await self._keep(answer, whole=True)
        except NotFound:
            log.info("an answer has no conversation any more: %s", answer.call.request_id)
        except VenomError as error:
            answer.error = error
        finally:
            self._forget(answer)
            answer.ended = True
            answer.change()
            if answer.cancelled_by != "deletion" and not self._closed:
                self._linger(answer)

    def _linger(self, answer: RunningAnswer) -> None:
        while len(self._lingering) >= MOST_LINGERING:
            self._lingering.pop(next(iter(self._lingering)))
        self._lingering[answer.id] = answer
        loop = asyncio.get_running_loop()
        loop.call_later(LINGERS_SECONDS, self._lingering.pop, answer.id, None)

    async def _keep(self, answer: RunningAnswer, *, whole: bool) -> None:
        """Store the answer as it is; one write is over before the next begins."""
        message = answer.kept(whole=whole)
        work = self._sessions.write(answer.talk.owner, answer.talk.session_id, message)
        writing = asyncio.ensure_future(work)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait({writing})
            raise

    def _forget(self, answer: RunningAnswer) -> None:
        self._running.pop(answer.id, None)
        self._sessions.being_written.discard(answer.id)


def _stopped() -> VenomError:
    return Conflict(
        "The answer was stopped.", code="answer_stopped", fix="Ask again for another one."
    )
