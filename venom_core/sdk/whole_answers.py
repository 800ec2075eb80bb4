"""The pieces of an answer put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from venom_core.sdk.frames import Answer, Choice, Event, FinishReason, ToolCall, Usage
from venom_core.sdk.upstream_refusals import incomplete


@dataclass(slots=True)
class _Call:
    """A tool call whose fragments come one by one."""

    id: str | None = None
    name: str | None = None
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Choice:
    """One choice of a stream, put together."""

    role: str = "assistant"
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, _Call] = field(default_factory=dict)
    logprobs: dict[str, Any] = field(default_factory=dict)
    finish_reason: FinishReason | None = None
    finish_note: str | None = None

    def add(self, choice: Choice) -> None:
        self.role = choice.role or self.role
        self.content.append(choice.content or "")
        self.reasoning.append(choice.reasoning or "")
        for fragment in choice.tool_calls:
            call = self.calls.setdefault(fragment.index, _Call())
            call.id = call.id or fragment.id
            call.name = call.name or fragment.name
            call.arguments.append(fragment.arguments)
        if choice.logprobs:
            self._add_logprobs(choice.logprobs)
        self.finish_reason = choice.finish_reason
        self.finish_note = choice.finish_note

    def _add_logprobs(self, logprobs: Mapping[str, Any]) -> None:
        """Join the lists, by name: the chat wire has ``content``, the other ``tokens`` and more."""
        for name, values in logprobs.items():
            if isinstance(values, list | tuple):
                known = self.logprobs.get(name)
                if not isinstance(known, list):
                    known = self.logprobs[name] = []
                known += values
            else:
                self.logprobs.setdefault(name, values)

    def choice(self, index: int) -> Choice:
        calls = tuple(
            ToolCall(place, call.id, call.name, "".join(call.arguments))
            for place, call in sorted(self.calls.items())
        )
        content = "".join(self.content)
        return Choice(
            index=index,
            role=self.role,
            content=content if content or not calls else None,
            reasoning="".join(self.reasoning) or None,
            tool_calls=calls,
            finish_reason=self.finish_reason,
            logprobs=self.logprobs or None,
            finish_note=self.finish_note,
        )


class Gathered:
    """The answer that chunks make together: :meth:`add` each, then take :meth:`answer`."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._usage: Usage | None = None

    def add(self, event: Event) -> None:
        """Add one event; what comes after the finish of its choice is left out."""
        self._usage = event.usage or self._usage
        for choice in event.choices:
            known = self._choices.setdefault(choice.index, _Choice())
            if known.finish_reason is None:
                known.add(choice)

    def answer(self) -> Answer:
        """Return the answer. Raises ``UpstreamIncomplete`` where one of its choices has no end."""
        choices = sorted(self._choices.items())
        if not choices or any(one.finish_reason is None for _, one in choices):
            raise incomplete()
        return Answer(tuple(one.choice(index) for index, one in choices), self._usage)
