"""Conversations: what of a session is sent to a model, what of an answer is kept, and how sessions
leave and enter Venom.

An answer that this server streams is kept when it is whole, and its question with it: one that
broke off or was stopped leaves the session as it was. What was asked elsewhere may be kept with the
detail ``stopped`` or ``error``, so that nothing half is ever shown as if it were whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from venom_core.chat.history import calls_of, told
from venom_core.sdk.errors import Conflict, InvalidRequest, NotFound, UpstreamIncomplete
from venom_core.sdk.frames import Choice
from venom_core.sdk.printable import whole_characters
from venom_core.sdk.utc import utc_text
from venom_core.store.sessions import (
    Message,
    Owner,
    SessionRepository,
    StoredSession,
    check_room,
    message_not_found,
    session_not_found,
)

#: The detail of an answer that is not whole yet; where nobody writes on it, it was cut.
UNFINISHED = "unfinished"
#: In place of a message's id: the question begins the conversation anew.
ROOT = "root"
MAX_TITLE = 80
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session as one question finds it: ``path`` leads from the first message to the one that
    the question follows."""

    owner: Owner
    session_id: str
    path: Sequence[Message] = ()

    @property
    def model(self) -> str | None:
        """Return the reference of the model that answered last; it goes on where none is named."""
        said = (message.model for message in reversed(self.path) if message.role == "assistant")
        return next(said, None)

    def messages(self, question: str) -> list[dict[str, Any]]:
        """Return what is sent: the path, and the question after it."""
        return told([*self.path, Message("user", question)])


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its whole answer, asked outside the session that keeps them.

    Args:
        model: the reference of the one that answered.
        parent: the message that the question follows, ``ROOT`` for none; None is the latest.
        system: the system message of a conversation that begins with this.
        details: JSON values beside the answer's text.
        question_details: the same of the question: the images that it came with.
    """

    question: str
    answer: str
    model: str | None = None
    parent: str | None = None
    system: str | None = None
    details: Mapping[str, Any] | None = None
    question_details: Mapping[str, Any] | None = None

    def following(self, path: Sequence[Message]) -> list[Message]:
        """Return the messages that it adds behind a path; the answer is the last."""
        begins = not path and self.system
        first = [Message("system", self.system or "")] if begins else []
        parent = [*path, *first][-1].id if path or first else None
        asked = Message("user", self.question, parent, details=self.question_details)
        told = None if self.details is None else dict(self.details)
        return [*first, asked, Message("assistant", self.answer, asked.id, self.model, told)]


@dataclass(frozen=True, slots=True)
class TakenSession:
    """A session from elsewhere, checked. ``id`` is None for a new one; times are None for now."""

    title: str
    messages: Sequence[Message]
    pinned: bool = False
    created_at: str | None = None
    updated_at: str | None = None
    id: str | None = None


@dataclass(slots=True)
class AnswerParts:
    """An answer as its pieces come. ``reasoning_ms`` is the time between its first thought and its
    first word."""

    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tool_calls: dict[int, dict[str, str]] = field(default_factory=dict)
    finish_reason: str | None = None
    finish_note: str | None = None
    reasoning_ms: int = 0
    _thought_at: float | None = None

    @classmethod
    def of(cls, begun: Message | None) -> AnswerParts:
        """Return the parts of an answer that goes on from the words and thoughts of another."""
        if begun is None:
            return cls()
        details = begun.details or {}
        thoughts, took = details.get("reasoning"), details.get("reasoning_ms")
        return cls(
            [begun.content],
            [thoughts] if isinstance(thoughts, str) else [],
            reasoning_ms=took if isinstance(took, int) else 0,
        )

    def take(self, choice: Choice) -> None:
        """Add a piece; fragments of calls are put together by their index."""
        if choice.reasoning and self._thought_at is None:
            self._thought_at = time.monotonic()
        if self._thought_at is not None and not self.content and not self.tool_calls:
            self.reasoning_ms = round((time.monotonic() - self._thought_at) * 1000)
        if choice.reasoning:
            self.reasoning.append(choice.reasoning)
        if choice.content:
            self.content.append(choice.content)
        for call in choice.tool_calls:
            kept = self.tool_calls.setdefault(call.index, {"id": "", "name": "", "arguments": ""})
            kept["id"] = kept["id"] or call.id or ""
            kept["name"] = kept["name"] or call.name or ""
            kept["arguments"] += call.arguments
        self.finish_reason = choice.finish_reason or self.finish_reason
        self.finish_note = choice.finish_note or self.finish_note

    @property
    def text(self) -> str:
        """Return the content as far as it has come, as it can be kept."""
        return whole_characters("".join(self.content))

    def details(self) -> dict[str, Any]:
        """Return the details of an answer beside its content."""
        found: dict[str, Any] = {"finish_reason": self.finish_reason}
        if self.finish_note:
            found["finish_note"] = self.finish_note
        if self.reasoning:
            found["reasoning"] = whole_characters("".join(self.reasoning))
            found["reasoning_ms"] = self.reasoning_ms
        if self.tool_calls:
            found["tool_calls"] = [self.tool_calls[index] for index in sorted(self.tool_calls)]
        return found


class Sessions:
    """The sessions of every owner.

    Args:
        repository: opens the store; called in a thread.
        stored: whether there is a store: looking must not make one.
    """

    def __init__(
        self, repository: Callable[[], SessionRepository], stored: Callable[[], bool]
    ) -> None:
        self._repository = repository
        self._stored = stored
        #: The ids of the answers that this process is writing.
        self.being_written: set[str] = set()

    async def list(
        self, owner: Owner, limit: int, offset: int = 0, query: str | None = None
    ) -> list[StoredSession]:
        def read() -> list[StoredSession]:
            return self._repository().list(owner, limit, offset, query) if self._stored() else []

        return await asyncio.to_thread(read)

    async def create(self, owner: Owner, title: str, session_id: str | None) -> StoredSession:
        made = session_id or new_id()
        return await asyncio.to_thread(lambda: self._repository().create(owner, made, title))

    async def read(self, owner: Owner, session_id: str) -> tuple[StoredSession, Sequence[Message]]:
        session, messages = await self._of_one(
            session_id, lambda found: found.read(owner, session_id)
        )
        return session, [self._as_it_is(message) for message in messages]

    def _as_it_is(self, message: Message) -> Message:
        """Return an answer that nobody writes on as one that was cut: its server ended."""
        details = message.details or {}
        if not details.get(UNFINISHED) or message.id in self.being_written:
            return message
        left = {name: value for name, value in details.items() if name != UNFINISHED}
        return replace(message, details={**left, "error": answer_cut().record()})

    async def change(
        self, owner: Owner, session_id: str, title: str | None, pinned: bool | None
    ) -> StoredSession:
        change = (owner, session_id, title, pinned)
        return await self._of_one(session_id, lambda found: found.change(*change))

    async def delete(self, owner: Owner, session_id: str) -> StoredSession:
        return await self._of_one(session_id, lambda found: found.delete(owner, session_id))

    async def _of_one(self, session_id: str, work: Callable[[SessionRepository], T]) -> T:
        """Work on a session that must be there. Raises ``NotFound`` where there is no store."""

        def do() -> T:
            if not self._stored():
                raise session_not_found(session_id)
            return work(self._repository())

        return await asyncio.to_thread(do)

    async def conversation(self, owner: Owner, session_id: str, parent: str | None) -> Conversation:
        """Return the session as a question finds it; one that is not there yet is empty.

        Args:
            parent: the message that the question follows, ``ROOT`` for none; None is the latest.

        Raises ``NotFound`` (``message_not_found``), ``InvalidRequest`` (``parent_is_question``,
        ``session_full``, ``sessions_full``).
        """
        messages = await self._before_a_question(owner, session_id)
        self._check_whole(parent)
        whole = [one for one in messages if one.id not in self.being_written]
        return Conversation(owner, session_id, path_to(whole, parent))

    async def asked_before(
        self, owner: Owner, session_id: str, question_id: str
    ) -> tuple[Conversation, Message]:
        """Return a question that is kept, and the session as it found it. Raises ``NotFound``
        (``message_not_found``), ``InvalidRequest`` (``not_a_question``, and as
        :meth:`conversation`)."""
        by_id = {one.id: one for one in await self._before_a_question(owner, session_id)}
        question = by_id.get(question_id)
        if question is None:
            raise message_not_found(question_id, "question_id")
        if question.role != "user":
            raise InvalidRequest(
                "Only a question can be asked again.",
                code="not_a_question",
                param="question_id",
                fix="Name the question of that answer.",
            )
        path = _up_to(by_id, question.parent_message_id)
        return Conversation(owner, session_id, path), question

    async def answered_before(
        self, owner: Owner, session_id: str, answer_id: str
    ) -> tuple[Conversation, Message, Message]:
        """Return an answer that can be gone on with, behind its question and the session as that
        found it. Raises ``NotFound`` (``message_not_found``), ``Conflict``
        (``answer_not_finished``), ``InvalidRequest`` (``nothing_to_continue``, and as
        :meth:`conversation`)."""
        by_id = {one.id: one for one in await self._before_a_question(owner, session_id)}
        self._check_whole(answer_id, "continue_message_id")
        answer = by_id.get(answer_id)
        if answer is None:
            raise message_not_found(answer_id, "continue_message_id")
        question = by_id.get(answer.parent_message_id or "")
        able = answer.role == "assistant" and answer.content and not calls_of(answer.details)
        if question is None or question.role != "user" or not able:
            raise InvalidRequest(
                "Only an answer that has words, and calls no tool, can be continued.",
                code="nothing_to_continue",
                param="continue_message_id",
                fix="Ask its question again.",
            )
        path = _up_to(by_id, question.parent_message_id)
        return Conversation(owner, session_id, path), question, answer

    async def _before_a_question(self, owner: Owner, session_id: str) -> Sequence[Message]:
        """Return what is kept of a session where there is room for more; nothing where there is no
        such session yet."""
        messages: Sequence[Message] = ()
        if await asyncio.to_thread(self._stored):
            await asyncio.to_thread(lambda: self._repository().check_room(owner))
            with contextlib.suppress(NotFound):  # then it begins with this question
                _, messages = await self.read(owner, session_id)
        check_room(len(messages) + 2)
        return messages

    def _check_whole(self, message_id: str | None, param: str = "parent_message_id") -> None:
        if message_id in self.being_written:
            raise Conflict(
                "The answer that this question follows is still being written.",
                code="answer_not_finished",
                param=param,
                fix="Wait for its end, or stop it.",
            )

    async def write(self, owner: Owner, session_id: str, message: Message) -> None:
        """Store what an answer is by now in the place of what it was. Raises ``StorageError``, or
        ``NotFound`` where its session was deleted meanwhile."""
        await asyncio.to_thread(lambda: self._repository().rewrite(owner, session_id, message))

    async def keep(self, conversation: Conversation, *messages: Message) -> StoredSession:
        """Store a question with its answer, or an answer alone whose question is there. Raises
        ``StorageError``, or ``NotFound`` where the session was deleted meanwhile."""
        title = title_of(next((one.content for one in messages if one.role == "user"), ""))
        added = (conversation.owner, conversation.session_id, title, messages)
        return await asyncio.to_thread(lambda: self._repository().add(*added))

    async def take_in(self, owner: Owner, taken: TakenSession) -> StoredSession:
        """Store a session from elsewhere. Raises ``Conflict`` (``session_exists``)."""
        made = taken.id or new_id()
        return await asyncio.to_thread(
            lambda: self._repository().create(
                owner,
                made,
                taken.title,
                taken.messages,
                pinned=taken.pinned,
                times=(taken.created_at, taken.updated_at),
            )
        )


def new_id() -> str:
    return str(uuid.uuid4())


def answer_cut() -> UpstreamIncomplete:
    """Return why an answer is not whole whose server ended in the midst of it."""
    return UpstreamIncomplete(
        "The server ended in the midst of this answer.",
        code="answer_cut",
        fix="Ask again, or ask the model to go on.",
    )


def path_to(messages: Sequence[Message], parent: str | None) -> list[Message]:
    """Return the messages from the first to ``parent``; see :meth:`Sessions.conversation`."""
    if parent == ROOT:
        return []
    by_id = {message.id: message for message in messages}
    if parent is None:
        answers = (message.id for message in reversed(messages) if message.role != "user")
        parent = next(answers, None)
        if parent is None:
            return []
    elif parent not in by_id:
        raise message_not_found(parent)
    elif by_id[parent].role == "user":
        raise InvalidRequest(
            "A question follows an answer, not another question.",
            code="parent_is_question",
            param="parent_message_id",
            fix="Name the message before it, or 'root' to begin anew.",
        )
    return _up_to(by_id, parent)


def _up_to(by_id: Mapping[str, Message], at: str | None) -> list[Message]:
    path: list[Message] = []
    while at is not None:
        path.append(by_id[at])
        at = by_id[at].parent_message_id
    return path[::-1]


def exchange(
    conversation: Conversation,
    question: str,
    asked_at: str,
    parts: AnswerParts,
    model: str,
    details: Mapping[str, Any],
) -> tuple[Message, Message]:
    """Return the two messages that a whole answer leaves; ``details`` are beside those of the
    answer."""
    parent = conversation.path[-1].id if conversation.path else None
    asked = Message("user", question, parent, created_at=asked_at)
    told = {**parts.details(), **details}
    return asked, Message("assistant", parts.text, asked.id, model, told, utc_text())


def title_of(question: str) -> str:
    """Return the first line that is not blank, cut at a word."""
    line = next((" ".join(line.split()) for line in question.splitlines() if line.strip()), "")
    if len(line) <= MAX_TITLE:
        return line
    cut = line[: MAX_TITLE - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[40:] else cut}…"
