"""Questions of conversations: something new, the results of calls, a question once more, or the
rest of an answer that was cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from venom_core.chat.history import calls_of, told
from venom_core.chat.sessions import Conversation
from venom_core.sdk.errors import InvalidRequest
from venom_core.store.sessions import Message


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of the call with this id."""

    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as it is about to be answered.

    Args:
        talk: the conversation up to it.
        question: what is answered.
        added: what the conversation gets by it, the question last; nothing where it is there.
        begun: the answer whose words are the beginning of this one.
    """

    talk: Conversation
    question: Message
    added: Sequence[Message] = ()
    begun: Message | None = None

    @property
    def model(self) -> str | None:
        """Return the reference of the model that answers where none is named."""
        return (self.begun and self.begun.model) or self.talk.model

    def messages(self, system: str | None) -> list[dict[str, Any]]:
        """Return what is sent; ``system`` takes the place of instructions that are there."""
        sent = told([*self.talk.path, self.question])
        if self.begun is not None:
            sent.append({"role": "assistant", "content": self.begun.content})
        if system:
            rest = sent[1:] if sent[0]["role"] == "system" else sent
            sent = [{"role": "system", "content": system}, *rest]
        return sent


def new_question(talk: Conversation, question: Message, system: str | None = None) -> Asked:
    """Return a question behind the path of ``talk``; ``system`` is kept where it begins it."""
    begins = not talk.path and system
    first = [Message("system", system or "")] if begins else []
    before = [*talk.path, *first]
    parent = before[-1].id if before else None
    asked = Message(question.role, question.content, parent, details=question.details)
    return Asked(talk, asked, [*first, asked])


def results_as_question(talk: Conversation, results: Sequence[ToolResult]) -> Asked:
    """Return the results of the calls that the path of ``talk`` ends with; their text says the
    same, for whoever reads the conversation without its details.

    Raises ``InvalidRequest`` (``tool_results_mismatch``) where they are not one for each call.
    """
    calls = calls_of(talk.path[-1].details) if talk.path else []
    if not calls:
        raise _mismatch("The message before these results calls no tool.")
    left = list(results)
    given: list[dict[str, str]] = []
    for call in calls:
        found = next((one for one in left if one.id == call["id"]), None)
        if found is None:
            raise _mismatch(f"There is no result of the call {call['id']!r}.")
        left.remove(found)
        given.append({"id": call["id"], "name": call["name"], "content": found.content})
    if left:
        raise _mismatch(f"The answer before has no call {left[0].id!r} that wants a result.")
    text = "\n\n".join(f"{one['name'] or one['id']}: {one['content']}" for one in given)
    return new_question(talk, Message("user", text, details={"tool_results": given}))


def _mismatch(message: str) -> InvalidRequest:
    return InvalidRequest(
        message,
        code="tool_results_mismatch",
        param="tool_results",
        fix="Send one result for each call; they are the tool_calls in the answer's details.",
    )
