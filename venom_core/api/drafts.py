"""Drafted answers: one draft hears the frames, and tells events and the whole from them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.types import Send

from venom_core.api.answering import EventShape, ModelAnswer
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Choice, Chunk, Frame, FrameKind, Usage

if TYPE_CHECKING:
    from venom_core.api.queueing import QueueNotes
    from venom_core.chat.stream import ChatStream

Event = dict[str, Any]


class Draft:
    """An answer as it is made: it hears frames, is finished, and tells events and its record."""

    def __init__(self) -> None:
        self._usage: Usage | None = None
        self._news: list[Event] = []

    def news(self) -> list[Event]:
        """Return the events since the last time."""
        news, self._news = self._news, []
        return news

    def hear(self, frame: Frame) -> None:
        """Take a frame in."""
        event = frame.streamed().event if FrameKind.ANSWER in frame.kind else frame.event
        assert isinstance(event, Chunk)
        self._usage = event.usage or self._usage
        for choice in event.choices:
            if choice.index == 0:
                self._choice(choice)

    def finish(self) -> None:
        """End a whole answer."""
        raise NotImplementedError

    def record(self) -> dict[str, Any]:
        """Return the whole answer as it is by now."""
        raise NotImplementedError

    def _choice(self, choice: Choice) -> None:
        raise NotImplementedError


class DraftedAnswer(ModelAnswer):
    """The ASGI answer to a request of a wire with a draft: the wire makes the draft and says how
    its events, and what breaks it off, are written."""

    _draft: Draft | None = None

    def _made(self, stream: ChatStream) -> Draft:
        if self._draft is None:
            self._draft = self._drafted(self._call.model or stream.resolved.id)
        return self._draft

    def _drafted(self, model: str) -> Draft:
        """Return a draft; ``model`` is how the request named it, or the name of the chosen one."""
        raise NotImplementedError

    def _broken(self, draft: Draft, error: VenomError) -> Iterable[Mapping[str, Any]]:
        """Return the events that end an answer which broke off."""
        raise NotImplementedError

    def _written(self, events: Iterable[Mapping[str, Any]]) -> bytes:
        """Return events as they are sent: server-sent ones, named by their types."""
        # Plain ASCII: half an emoji, which engines send at times, is no UTF-8.
        return b"".join(
            f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
        )

    def _notes(self, send: Send) -> QueueNotes | None:
        return None  # their clients know no places in a queue, and some no comments

    async def _frames(self, stream: ChatStream) -> AsyncGenerator[Frame, None]:
        draft = self._made(stream)
        source = stream.frames()
        try:
            async for frame in source:
                draft.hear(self._heard(frame))
                yield frame
        finally:
            await source.aclose()
        draft.finish()
        await self._finished(draft)

    def _heard(self, frame: Frame) -> Frame:
        return frame

    async def _finished(self, draft: Draft) -> None:
        """Do what is due before the end of a whole answer is told."""

    def _shape(self, stream: ChatStream) -> EventShape:
        return _Events(self, self._made(stream))

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        return json.dumps(self._made(stream).record()).encode()


class _Events:
    """The events that a draft has to tell, as they come."""

    def __init__(self, answer: DraftedAnswer, draft: Draft) -> None:
        self._answer = answer
        self._draft = draft

    def frame(self, frame: Frame) -> bytes:
        return self._answer._written(self._draft.news())

    def end(self) -> bytes:
        return self._answer._written(self._draft.news())

    def failed(self, error: VenomError) -> bytes:
        return self._answer._written(self._answer._broken(self._draft, error))
