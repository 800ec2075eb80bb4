"""Reading an upstream's answer on the OpenAI wire into frames.

Servers do not always send what they were asked for: JSON where a stream was asked for, a stream
where one answer was, an error with status 200 in either. All of these are understood.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from venom_core.sdk.delta_shape import DeltaShape
from venom_core.sdk.errors import UpstreamError
from venom_core.sdk.frames import (
    Chunk,
    Frame,
    FrameKind,
    decode,
    kind_of,
)
from venom_core.sdk.sse import DONE, EventSplitter, EventTooLarge
from venom_core.sdk.upstream_refusals import error_event, failure, incomplete, no_openai_answer
from venom_core.sdk.whole_answers import Gathered
from venom_core.sdk.wire_objects import FailedAnswer, load_object, normalised

#: Of one answer that is no stream.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
#: Of one stream: half a kilobyte for each of as many events as an answer may have.
MAX_STREAM_BYTES = 512 * 1024 * 1024
#: So much of a stream is read between two turns of the event loop: of the shortest lines some
#: thousand.
PIECE = 16 * 1024
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
    """Feed it the bytes of one answer, cut anywhere; ``ended`` says that ``[DONE]`` has come.

    Servers go on after a finish, finish twice, or send choices that nobody asked for: no frame has
    any of it.

    Args:
        choices: how many were asked for.
    """

    def __init__(self, choices: int = 1) -> None:
        self.ended = False
        self._open = set(range(choices))
        self._bytes = 0
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
        self._bytes += len(chunk)
        if self._bytes > MAX_STREAM_BYTES:
            raise _too_large()
        if self._whole is not None:
            chunk = self._begin(self._whole, chunk)
        try:
            events = self._splitter.feed(chunk)
        except EventTooLarge as error:
            raise _too_large() from error
        for data in events:
            frame = self._frame(data)
            if frame is None:
                return
            yield frame
        if not events and not self._splitter.pending:
            yield ALIVE

    def end(self) -> Iterator[Frame]:
        """Yield what the end of the bytes completes: one answer that was sent for a stream.

        Raises ``UpstreamIncomplete`` where a choice has had no end.
        """
        if self._whole:
            frame = answer_frame(bytes(self._whole), len(self._open)).streamed()
            yield self._asked_for(frame)
        elif self._whole is None and not self._seen:
            raise no_openai_answer()
        if self._open:
            raise incomplete()

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
            raise _too_large()
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
        read = stream_frame(data)
        frame = self._asked_for(read)
        if frame is read and frame.kind is FrameKind.DELTA and self._worth > 0:
            self._learn(data)
        return frame

    def _asked_for(self, frame: Frame) -> Frame:
        """Return the frame without choices that had their finish or that nobody asked for."""
        left_out = []
        for place, choice in enumerate(frame.event.choices):
            if choice.index not in self._open:
                left_out.append(place)
            elif choice.finish_reason is not None:
                self._open.discard(choice.index)
                self._shapes = [shape for shape in self._shapes if shape.index in self._open]
        return frame.without(left_out) if left_out else frame

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


async def pieces(data: bytes) -> AsyncIterator[bytes]:
    """Yield bytes in pieces that are read in a few milliseconds; the event loop turns between two
    of them."""
    for begin in range(0, len(data), PIECE):
        if begin:
            await asyncio.sleep(0)
        yield data[begin : begin + PIECE]


def _too_large() -> UpstreamError:
    return UpstreamError("The upstream's answer is too large to be an answer.")


async def read_answer(data: bytes, choices: int = 1) -> Frame:
    """Return a whole answer as an ANSWER frame, also where it came as a stream: then in pieces, so
    that the event loop turns meanwhile.

    Args:
        choices: how many were asked for; others are left out.
    """
    bare = data.lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)
    if bare.startswith(b"{"):
        return answer_frame(bare, choices)
    reader, gathered = StreamReader(choices), Gathered()
    async for piece in pieces(bare):
        for frame in reader.feed(piece):
            gathered.add(frame.event)
        if reader.ended:
            break
    for frame in reader.end():
        gathered.add(frame.event)
    return Frame.of(gathered.answer())


def answer_frame(data: bytes, choices: int | None = None) -> Frame:
    """Return the JSON of a whole answer as an ANSWER frame.

    Args:
        choices: how many were asked for; others are left out. None takes all.
    """
    body = _read(data, answer=True)
    try:
        event = decode(body, answer=True)
    except ValueError as error:
        raise no_openai_answer() from error
    if not event.choices:
        raise no_openai_answer()
    frame = Frame(kind_of(event), event, None, body)
    if choices is None:
        return frame
    still = set(range(choices))
    left_out = []
    for place, choice in enumerate(event.choices):
        if choice.index not in still:
            left_out.append(place)
        still.discard(choice.index)
    return frame.without(left_out) if left_out else frame


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
