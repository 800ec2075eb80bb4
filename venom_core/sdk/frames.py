"""Frames: one path for typed events and for relayed bytes.

A provider that builds its answers yields ``Frame.of(event)``. One whose engine speaks the OpenAI
wire yields ``Frame.raw(kind, data)`` with the JSON of one server-sent event. Both have two views:
``frame.event`` and ``frame.json(envelope)``, and both views of one script are equal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from venom_core.sdk.records import TokenUsage

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
Wire = Literal["chat", "completion"]


class FrameKind(Flag):
    """The contents of a frame; one frame may carry several."""

    DELTA = auto()
    FINISH = auto()
    USAGE = auto()
    ANSWER = auto()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """In a stream a fragment: ``id`` and ``name`` come once, ``arguments`` in pieces joined by
    ``index``. In an answer it is whole."""

    index: int = 0
    id: str | None = None
    name: str | None = None
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts as the engine reports them. ``cached_tokens`` are part of the prompt's."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a chunk or of an answer; ``finish_reason`` is set on its last chunk, and there
    ``finish_note``, a sentence, where the reason alone does not tell why the answer ends."""

    index: int = 0
    role: str | None = None
    content: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason | None = None
    logprobs: Mapping[str, Any] | None = None
    finish_note: str | None = None

    @property
    def carries_delta(self) -> bool:
        return bool(
            self.role is not None
            or self.content is not None
            or self.reasoning is not None
            or self.tool_calls
        )


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream."""

    choices: tuple[Choice, ...] = ()
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer; every choice has a ``finish_reason``."""

    choices: tuple[Choice, ...]
    usage: Usage | None = None


Event = Chunk | Answer


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields that the client sees around an event. ``created`` is in seconds since the
    epoch."""

    id: str
    created: int
    model: str
    wire: Wire = "chat"
    include_usage: bool = False
    #: Puts ``model`` into relayed bytes.
    put_model: ModelSplice = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "put_model", ModelSplice(self.model))


def delta(
    content: str | None = None,
    *,
    index: int = 0,
    role: str | None = None,
    reasoning: str | None = None,
    tool_calls: tuple[ToolCall, ...] = (),
) -> Chunk:
    """Return a chunk with one piece of one choice."""
    return Chunk((Choice(index, role, content, reasoning, tool_calls),))


def finish(reason: FinishReason, *, index: int = 0) -> Chunk:
    """Return the chunk that ends one choice."""
    return Chunk((Choice(index, finish_reason=reason),))


class Frame:
    """One piece of an answer. Made by :meth:`of` or :meth:`raw`, never changed afterwards."""

    __slots__ = ("_body", "_event", "_raw", "kind")

    def __init__(self, kind: FrameKind, event: Event | None, raw: bytes | None) -> None:
        self.kind = kind
        self._event = event
        self._raw = raw
        self._body: dict[str, Any] | None = None

    @classmethod
    def of(cls, event: Event) -> Frame:
        """Return a frame from a typed event; its kind follows from what the event carries."""
        return cls(kind_of(event), event, None)

    @classmethod
    def raw(cls, kind: FrameKind, data: bytes) -> Frame:
        """Return a frame from the JSON of one upstream event, relayed as it is.

        Args:
            kind: what ``data`` carries; the caller has looked.
            data: the JSON text alone, without ``data: `` and without the blank line.
        """
        return cls(kind, None, data)

    @property
    def event(self) -> Event:
        """Return the typed view; decoded at the first use."""
        if self._event is None:
            self._event = decode(self.body, answer=FrameKind.ANSWER in self.kind)
        return self._event

    @property
    def body(self) -> dict[str, Any]:
        """Return the decoded JSON of a raw frame. Raises ``ValueError`` when it is not an
        object."""
        if self._body is None:
            body = json.loads(self._raw or b"{}")
            if not isinstance(body, dict):
                raise ValueError("a frame is a JSON object")
            self._body = body
        return self._body

    def json(self, envelope: Envelope) -> bytes:
        """Return the wire view: an encoded event, or the relayed bytes with ``model`` replaced."""
        if self._raw is None:
            return _dump(encode(self.event, envelope))
        spliced = envelope.put_model(self._raw)
        return spliced if spliced is not None else _dump({**self.body, "model": envelope.model})

    def split_usage(self) -> Iterator[Frame]:
        """Yield frames that carry usage alone or not at all, in order; ANSWER frames stay whole."""
        if FrameKind.USAGE not in self.kind or self.kind in (
            FrameKind.USAGE,
            FrameKind.USAGE | FrameKind.ANSWER,
        ):
            yield self
        elif self._raw is None:
            event = self.event
            assert isinstance(event, Chunk)
            yield Frame.of(replace(event, usage=None))
            yield Frame.of(Chunk(usage=event.usage))
        else:
            body = self.body
            bare = {key: value for key, value in body.items() if key != "usage"}
            yield Frame.raw(self.kind & ~FrameKind.USAGE, _dump(bare))
            yield Frame.raw(FrameKind.USAGE, _dump({**body, "choices": []}))

    def __repr__(self) -> str:
        return f"Frame({self.kind}, {self._raw if self._raw is not None else self._event!r})"


def kind_of(event: Event) -> FrameKind:
    """Return the flags of an event. An empty chunk is a DELTA: it says that upstream is alive."""
    usage = FrameKind.USAGE if event.usage is not None else FrameKind(0)
    if isinstance(event, Answer):
        return FrameKind.ANSWER | usage
    kind = usage
    if any(choice.carries_delta for choice in event.choices):
        kind |= FrameKind.DELTA
    if any(choice.finish_reason is not None for choice in event.choices):
        kind |= FrameKind.FINISH
    return kind or FrameKind.DELTA


_MODEL = re.compile(rb'"model"\s*:\s*"(?:[^"\\]|\\.)*"')


class ModelSplice:
    """Puts one ``model`` value into the relayed objects of a stream.

    Inside a JSON string every quote is escaped, so the pattern matches keys only. The frames of a
    stream begin alike, with its id, its time and its model: a beginning that was spliced once is
    replaced as it is from then on.
    """

    __slots__ = ("_beginning", "_length", "_spliced", "_value")

    def __init__(self, model: str) -> None:
        self._value = b'"model":' + json.dumps(model, ensure_ascii=False).encode()
        self._beginning, self._spliced, self._length = b"", b"", 0

    def __call__(self, data: bytes) -> bytes | None:
        """Return ``data`` with its one ``model`` replaced, or None where there is not exactly
        one."""
        if (
            self._length
            and data.startswith(self._beginning)
            and data.find(b'"model"', self._length) < 0
        ):
            return self._spliced + data[self._length :]
        found = _MODEL.search(data)
        if found is None or _MODEL.search(data, found.end()) is not None:
            return None
        self._beginning, self._length = data[: found.end()], found.end()
        self._spliced = data[: found.start()] + self._value
        return self._spliced + data[self._length :]


def _dump(body: Mapping[str, Any]) -> bytes:
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate cannot be UTF-8; engines emit one when a token splits an emoji.
    return text.encode("utf-8", "replace")


def encode(event: Event, envelope: Envelope) -> dict[str, Any]:
    """Return an event as an OpenAI object: ``chat.completion[.chunk]`` or ``text_completion``."""
    answer = isinstance(event, Answer)
    if envelope.wire == "completion":
        kind, choices = "text_completion", [_text_choice(choice) for choice in event.choices]
    else:
        kind = "chat.completion" if answer else "chat.completion.chunk"
        choices = [_chat_choice(choice, answer) for choice in event.choices]
    body: dict[str, Any] = {
        "id": envelope.id,
        "object": kind,
        "created": envelope.created,
        "model": envelope.model,
        "choices": choices,
    }
    if event.usage is not None:
        body["usage"] = encode_usage(event.usage)
    elif envelope.include_usage and not answer:
        body["usage"] = None
    return body


def encode_usage(usage: Usage) -> TokenUsage:
    body: TokenUsage = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_tokens is not None:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return body


def _text_choice(choice: Choice) -> dict[str, Any]:
    body = {
        "index": choice.index,
        "text": choice.content or "",
        "logprobs": choice.logprobs,
        "finish_reason": choice.finish_reason,
    }
    return body if choice.finish_note is None else {**body, "finish_note": choice.finish_note}


def _chat_choice(choice: Choice, answer: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"index": choice.index}
    body["message" if answer else "delta"] = _message(choice, answer)
    if choice.logprobs is not None or answer:
        body["logprobs"] = choice.logprobs
    body["finish_reason"] = choice.finish_reason
    if choice.finish_note is not None:
        body["finish_note"] = choice.finish_note
    return body


def _message(choice: Choice, answer: bool) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if choice.role is not None or answer:
        body["role"] = choice.role or "assistant"
    if choice.content is not None or answer:
        body["content"] = choice.content
    if choice.reasoning is not None:
        body["reasoning_content"] = choice.reasoning
    if choice.tool_calls:
        body["tool_calls"] = [_tool_call(call, answer) for call in choice.tool_calls]
    return body


def _tool_call(call: ToolCall, answer: bool) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": call.arguments}
    if call.name is not None:
        function = {"name": call.name, **function}
    body: dict[str, Any] = {} if answer else {"index": call.index}
    if call.id is not None:
        body |= {"id": call.id, "type": "function"}
    return body | {"function": function}


def decode(body: Mapping[str, Any], *, answer: bool) -> Event:
    """Return an OpenAI object as an event. Unknown keys are left out; ``reasoning`` is read like
    ``reasoning_content``. Raises ``ValueError`` on a shape that is no OpenAI object."""
    try:
        choices = tuple(_decode_choice(item, answer) for item in body.get("choices") or ())
        usage = decode_usage(body.get("usage"))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError("not an OpenAI completion object") from error
    return Answer(choices, usage) if answer else Chunk(choices, usage)


def decode_usage(body: Mapping[str, Any] | None) -> Usage | None:
    if not body:
        return None
    details = body.get("prompt_tokens_details") or {}
    return Usage(
        int(body.get("prompt_tokens") or 0),
        int(body.get("completion_tokens") or 0),
        details.get("cached_tokens"),
    )


def _decode_choice(item: Mapping[str, Any], answer: bool) -> Choice:
    finish_reason = item.get("finish_reason")
    if "text" in item:
        # An empty text beside a finish reason is how this wire spells "nothing more".
        text = item["text"] if item["text"] or answer or finish_reason is None else None
        return Choice(
            item.get("index", 0),
            None,
            text,
            finish_reason=finish_reason,
            logprobs=item.get("logprobs"),
            finish_note=item.get("finish_note"),
        )
    message = item.get("message" if answer else "delta") or {}
    calls = enumerate(message.get("tool_calls") or ())
    return Choice(
        index=item.get("index", 0),
        role=message.get("role"),
        content=message.get("content"),
        reasoning=message.get("reasoning_content", message.get("reasoning")),
        tool_calls=tuple(_decode_tool_call(call, position) for position, call in calls),
        finish_reason=finish_reason,
        logprobs=item.get("logprobs"),
        finish_note=item.get("finish_note"),
    )


def _decode_tool_call(call: Mapping[str, Any], position: int) -> ToolCall:
    function = call.get("function") or {}
    return ToolCall(
        index=call.get("index", position),
        id=call.get("id"),
        name=function.get("name"),
        arguments=function.get("arguments") or "",
    )
