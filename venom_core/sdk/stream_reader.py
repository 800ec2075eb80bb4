"""Reading an upstream's answer on the OpenAI wire into frames.

Servers do not always send what they were asked for: JSON where a stream was asked for, a stream
where one answer was, an error with status 200 in either. All of these are understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from venom_core.sdk.delta_shape import DeltaShape
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import (
    Answer,
    Choice,
    Chunk,
    Event,
    FinishReason,
    Frame,
    FrameKind,
    ToolCall,
    decode,
    kind_of,
)
from venom_core.sdk.sse import DONE, EventSplitter, EventTooLarge
from venom_core.sdk.upstream_refusals import error_event, failure, incomplete, no_openai_answer
from venom_core.sdk.wire_objects import FailedAnswer, load_object, normalised

MAX_ANSWER_BYTES = 64 * 1024 * 1024
#: Shapes that are tried for each event: thoughts, text and the arguments of a call alternate.
MAX_SHAPES = 3
#: Events that a new shape must serve before learning it was worth while.
SHAPE_COST = 4
_BLANK = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
#: A chunk has one of these, however little it says.
_CHUNK_KEYS = frozenset({"id", "object", "choices", "usage"})
_PINGS = frozenset({"ping", "heartbeat"})
_NOTHING = frozenset({b"null", b"{}"})
#: A frame that carries nothing: the server lives.
ALIVE = Frame.of(Chunk())


class StreamReader:
    """Feed it the bytes of one answer, cut anywhere; ``ended`` says that ``[DONE]`` has come."""

    def __init__(self) -> None:
        self.ended = False
        self._splitter = EventSplitter()
        self._shapes: list[DeltaShape] = []
        self._worth = 64
        self._seen = False
        #: The bytes so far, where they are not events or it cannot be told yet.
        self._whole: bytes | bytearray | None = b""

    def feed(self, chunk: bytes) -> Iterator[Frame]:
        """Yield the frames that end in this chunk.

        Raises what an error event says, and ``UpstreamError`` where an event is none of this wire.
        """
        if self._whole is not None:
            chunk = self._begin(self._whole, chunk)
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge as error:
            raise UpstreamError("The upstream's answer is too large to be an answer.") from error
        for data in events:
            frame = self._frame(data)
            if frame is None:
                return
            yield frame
        if not events and not self._splitter.pending:
            yield ALIVE

    def end(self) -> Iterator[Frame]:
        """Yield what the end of the bytes completes: one answer that was sent for a stream."""
        if self._whole:
            yield _as_stream(bytes(self._whole))
        elif self._whole is None and not self._seen:
            raise no_openai_answer()

    def _begin(self, held: bytes | bytearray, chunk: bytes) -> bytes:
        """Tell events from a JSON object by the first byte; return what is to be split."""
        if held[:1] != b"{":
            start = (bytes(held) + chunk).lstrip(_BLANK)
            if len(start) < len(_BOM) and _BOM.startswith(start):
                self._whole = start
                return b""
            start = start.removeprefix(_BOM).lstrip(_BLANK)
            if start[:1] != b"{":
                self._whole = None if start else start
                return start
            self._whole = bytearray(start)
            return b""
        assert isinstance(held, bytearray)
        held += chunk
        if len(held) > MAX_ANSWER_BYTES:
            raise UpstreamError("The upstream's answer is too large to be an answer.")
        return b""

    def _frame(self, data: bytes) -> Frame | None:
        """Return what one event is, None at ``[DONE]``."""
        for shape in self._shapes:
            if shape.fits(data):
                self._worth += 1
                return Frame(FrameKind.DELTA, None, data, None, shape)
        bare = data.strip(_BLANK).removeprefix(_BOM).strip(_BLANK)
        self._seen = True
        if bare == DONE:
            self.ended = True
            return None
        if bare in _NOTHING:
            return ALIVE
        frame = stream_frame(data)
        if frame.kind is FrameKind.DELTA and self._worth > 0:
            self._learn(data)
        return frame

    def _learn(self, data: bytes) -> None:
        """Keep the shape of a plain delta; learning costs as much as parsing some chunks."""
        self._worth -= SHAPE_COST
        shape = DeltaShape.of(data)
        if shape is not None:
            self._shapes = [shape, *self._shapes[: MAX_SHAPES - 1]]


def stream_frame(data: bytes) -> Frame:
    """Return one event of a stream as a frame; raises what an error event says, or
    ``UpstreamError`` where it is no JSON of this wire."""
    body = _read(data, answer=False)
    try:
        event = decode(body, answer=False)
    except ValueError as error:
        raise no_openai_answer() from error
    return Frame(kind_of(event), event, None, body)


def answer_frame(data: bytes) -> Frame:
    """Return a whole answer as an ANSWER frame, also where it came as a stream."""
    bare = data.lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)
    if not bare.startswith(b"{"):
        reader = StreamReader()
        return Frame.of(gathered([frame.event for frame in (*reader.feed(bare), *reader.end())]))
    body = _read(bare, answer=True)
    try:
        event = decode(body, answer=True)
    except ValueError as error:
        raise no_openai_answer() from error
    if not event.choices:
        raise no_openai_answer()
    return Frame(kind_of(event), event, None, body)


def _as_stream(data: bytes) -> Frame:
    """Return one answer as the one frame of a stream."""
    body = normalised(answer_frame(data).body, answer=False)
    event = decode(body, answer=False)
    return Frame(kind_of(event), event, None, body)


def _read(data: bytes, *, answer: bool) -> dict[str, Any]:
    try:
        body = load_object(data)
        if (told := failure(body)) is not None:
            raise error_event(told)
        if not _CHUNK_KEYS & body.keys() and body.get("type") not in _PINGS:
            raise no_openai_answer()
        return normalised(body, answer=answer)
    except FailedAnswer as error:
        raise error_event(error.failure) from error
    except ValueError as error:
        raise no_openai_answer() from error


@dataclass(slots=True)
class _Gathered:
    """One choice of a stream, put together."""

    role: str = "assistant"
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, ToolCall] = field(default_factory=dict)
    logprobs: list[Any] = field(default_factory=list)
    finish_reason: FinishReason | None = None

    def add(self, choice: Choice) -> None:
        self.role = choice.role or self.role
        self.content.append(choice.content or "")
        self.reasoning.append(choice.reasoning or "")
        for call in choice.tool_calls:
            known = self.calls.get(call.index, ToolCall(call.index))
            self.calls[call.index] = ToolCall(
                call.index,
                known.id or call.id,
                known.name or call.name,
                known.arguments + call.arguments,
            )
        self.logprobs += (choice.logprobs or {}).get("content") or ()
        self.finish_reason = self.finish_reason or choice.finish_reason

    def choice(self, index: int) -> Choice:
        calls = tuple(self.calls[place] for place in sorted(self.calls))
        content = "".join(self.content)
        return Choice(
            index,
            self.role,
            content if content or not calls else None,
            "".join(self.reasoning) or None,
            calls,
            self.finish_reason,
            {"content": self.logprobs} if self.logprobs else None,
        )


def gathered(events: Iterable[Event]) -> Answer:
    """Return the answer that the chunks of a stream make together. Raises ``UpstreamIncomplete``
    where one of its choices has no end."""
    choices: dict[int, _Gathered] = {}
    usage = None
    for event in events:
        usage = event.usage or usage
        for choice in event.choices:
            known = choices.setdefault(choice.index, _Gathered())
            if known.finish_reason is None:
                known.add(choice)
    if not choices or any(one.finish_reason is None for one in choices.values()):
        raise incomplete()
    return Answer(tuple(choices[index].choice(index) for index in sorted(choices)), usage)
