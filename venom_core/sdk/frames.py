"""Frames: one path for typed events and for relayed bytes.

A provider that builds its answers yields ``Frame.of(event)``. One whose engine speaks the OpenAI
wire yields ``Frame.raw(kind, data)`` with the JSON of one server-sent event. Both have two views:
``frame.event`` and ``frame.json(envelope)``, and both views of one script are equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.wire_objects import dump, load_object, normalised

if TYPE_CHECKING:
    from venom_core.sdk.delta_shape import DeltaShape
    from venom_core.sdk.records import TokenUsage

T = TypeVar("T")
#: Characters of an engine's id for an answer.
MAX_ID = 256

#: Why a choice ended.
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
#: Which of OpenAI's two shapes the client asked for.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice of a chunk or of an answer; ``finish_reason`` is set on its last chunk, and there
    ``finish_note``, a sentence, where the reason alone does not tell why the answer ends. Made with
    keywords only."""

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
        """Return whether it has more than an end."""
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


#: What a frame carries.
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
    _told: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def around(self, body: Mapping[str, Any], *, answer: bool) -> dict[str, Any]:
        """Return an object in this envelope. The first one's ``id`` and ``created`` hold for all,
        where an engine gave it some: what it calls later ones is left out."""
        told = self._told
        if not told:
            told["id"] = self._id_of(body)
            made = body.get("created")
            told["created"] = made if _is_time(made) else self.created
        if self.wire == "completion":
            kind = "text_completion"
        else:
            kind = "chat.completion" if answer else "chat.completion.chunk"
        own = {"id": told["id"], "object": kind, "created": told["created"], "model": self.model}
        return {**own, **body, **own}

    def _id_of(self, body: Mapping[str, Any]) -> str:
        given = body.get("id")
        if not isinstance(given, str) or not 0 < len(given) <= MAX_ID:
            return self.id
        if self.wire == "completion":  # llama.cpp names both kinds alike
            return "cmpl-" + given.removeprefix("chatcmpl-").removeprefix("cmpl-")
        return given


def delta(
    content: str | None = None,
    *,
    index: int = 0,
    role: str | None = None,
    reasoning: str | None = None,
    tool_calls: tuple[ToolCall, ...] = (),
) -> Chunk:
    """Return a chunk with one piece of one choice."""
    choice = Choice(
        index=index, role=role, content=content, reasoning=reasoning, tool_calls=tool_calls
    )
    return Chunk((choice,))


def finish(reason: FinishReason, *, index: int = 0) -> Chunk:
    """Return the chunk that ends one choice."""
    return Chunk((Choice(index=index, finish_reason=reason),))


def usage(prompt_tokens: int, completion_tokens: int, *, cached_tokens: int | None = None) -> Chunk:
    """Return the chunk with the token counts of the whole answer: the last of a stream."""
    return Chunk(usage=Usage(prompt_tokens, completion_tokens, cached_tokens))


class Frame:
    """One piece of an answer. Made by :meth:`of` or :meth:`raw`, never changed afterwards."""

    __slots__ = ("_body", "_event", "_raw", "kind", "shape")

    def __init__(
        self,
        kind: FrameKind,
        event: Event | None,
        raw: bytes | None,
        body: dict[str, Any] | None = None,
        shape: DeltaShape | None = None,
    ) -> None:
        self.kind = kind
        self._event = event
        self._raw = raw
        self._body = body
        #: The shape that these bytes were proven to have: they are a plain piece of text.
        self.shape = shape

    @classmethod
    def of(cls, event: Event) -> Frame:
        """Return a frame from a typed event; its kind follows from what the event carries."""
        return cls(kind_of(event), event, None)

    @classmethod
    def raw(cls, kind: FrameKind, data: bytes) -> Frame:
        """Return a frame from the JSON of one upstream event.

        Args:
            kind: what ``data`` carries; the caller has looked.
            data: the JSON text alone, without ``data: `` and without the blank line.
        """
        return cls(kind, None, data)

    @property
    def is_typed(self) -> bool:
        """Whether it was made of an event; else it is the JSON of a server."""
        return self._raw is None and self._body is None

    @property
    def event(self) -> Event:
        """Return the typed view; decoded at the first use."""
        if self._event is None:
            self._event = decode(self.body, answer=FrameKind.ANSWER in self.kind)
        return self._event

    @property
    def body(self) -> dict[str, Any]:
        """Return the decoded JSON of a raw frame in the wire's own terms. Raises ``ValueError``
        where it is no object of this wire."""
        if self._body is None:
            body = load_object(self._raw or b"{}")
            self._body = normalised(body, answer=FrameKind.ANSWER in self.kind)
        return self._body

    def json(self, envelope: Envelope) -> bytes:
        """Return the wire view: one line of JSON in the envelope.

        Raises ``UpstreamError`` where the frame cannot be written as JSON.
        """
        if self.shape is not None and self._raw is not None:
            return self.shape.put(self._raw, envelope)
        try:
            if self.is_typed:
                return dump(encode(self.event, envelope))
            return dump(envelope.around(self.body, answer=FrameKind.ANSWER in self.kind))
        except (ValueError, TypeError, RecursionError) as error:
            raise UpstreamError("The provider made a frame that cannot be read.") from error

    def without(self, places: Collection[int]) -> Frame:
        """Return the frame without the choices at these places of its list."""

        def kept(choices: Iterable[T]) -> list[T]:
            return [choice for place, choice in enumerate(choices) if place not in places]

        if self.is_typed:
            return Frame.of(replace(self.event, choices=tuple(kept(self.event.choices))))
        return self._relayed({**self.body, "choices": kept(self.body["choices"])})

    def split_usage(self) -> Iterator[Frame]:
        """Yield frames that carry usage alone or not at all, in order; ANSWER frames stay whole."""
        event = self.event
        if event.usage is None or not event.choices or isinstance(event, Answer):
            yield self
        elif self.is_typed:
            yield Frame.of(replace(event, usage=None))
            yield Frame.of(Chunk(usage=event.usage))
        else:
            body = self.body
            yield self._relayed({key: value for key, value in body.items() if key != "usage"})
            yield self._relayed({**body, "choices": []})

    def told_usage(self) -> Mapping[str, Any] | None:
        """Return the usage object of the wire; None where this is a typed event."""
        return None if self.is_typed else self.body.get("usage")

    def with_usage(self, usage: Usage | None, told: Mapping[str, Any] | None) -> Frame:
        """Return the frame with other counts, or with none; ``told`` is how the wire has them."""
        if self.is_typed:
            return Frame.of(replace(self.event, usage=usage))
        rest = {name: value for name, value in self.body.items() if name != "usage"}
        return self._relayed(rest if usage is None else {**rest, "usage": dict(told or {})})

    def told(self) -> Frame:
        """Return the frame with the kind that its contents have, whatever it was called. Raises
        ``ValueError`` where it cannot be read."""
        kind = kind_of(self.event)
        if kind == self.kind:
            return self
        return Frame(kind, self.event, None, None if self.is_typed else self.body)

    def streamed(self) -> Frame:
        """Return an ANSWER frame as the one frame of a stream. Raises ``ValueError`` where it
        cannot be read."""
        if self.is_typed:
            choices = tuple(map(_piece, self.event.choices))
            return Frame.of(Chunk(choices, self.event.usage))
        body = normalised(self.body, answer=False)
        event = decode(body, answer=False)
        return Frame(kind_of(event), event, None, body)

    def _relayed(self, body: dict[str, Any]) -> Frame:
        event = decode(body, answer=FrameKind.ANSWER in self.kind)
        return Frame(kind_of(event), event, None, body)

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


def _piece(choice: Choice) -> Choice:
    """Return a choice of an answer as a stream has it: the calls of an answer are counted by their
    places."""
    calls = tuple(replace(call, index=place) for place, call in enumerate(choice.tool_calls))
    return replace(choice, role=choice.role or "assistant", tool_calls=calls)


def encode(event: Event, envelope: Envelope) -> dict[str, Any]:
    """Return an event as an OpenAI object: ``chat.completion[.chunk]`` or ``text_completion``."""
    answer = isinstance(event, Answer)
    if envelope.wire == "completion":
        choices = [_text_choice(choice) for choice in event.choices]
    else:
        choices = [_chat_choice(choice, answer) for choice in event.choices]
    body: dict[str, Any] = {"choices": choices}
    if event.usage is not None:
        body["usage"] = encode_usage(event.usage)
    elif envelope.include_usage and not answer:
        body["usage"] = None
    return envelope.around(body, answer=answer)


def encode_usage(usage: Usage) -> TokenUsage:
    body: TokenUsage = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
    if usage.cached_tokens is not None:
        body["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return body


def _is_time(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53


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


def decode_usage(body: Any) -> Usage | None:
    """Return the counts as they are told; whether they can be is the guarded provider's check."""
    if not body or not isinstance(body, Mapping):
        return None
    details = body.get("prompt_tokens_details")
    return Usage(
        body.get("prompt_tokens", 0),
        body.get("completion_tokens", 0),
        details.get("cached_tokens") if isinstance(details, Mapping) else None,
    )


def _decode_choice(item: Mapping[str, Any], answer: bool) -> Choice:
    finish_reason = item.get("finish_reason")
    if "text" in item:
        # An empty text beside a finish reason is how this wire spells "nothing more".
        text = item["text"] if item["text"] or answer or finish_reason is None else None
        return Choice(
            index=item.get("index", 0),
            content=text,
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
