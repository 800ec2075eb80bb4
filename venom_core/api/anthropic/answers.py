"""Sending a message: one object, or an event for each step of it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.types import Send

from venom_core.api.answering import EventShape, ModelAnswer, header_text
from venom_core.api.anthropic.draft import MessageDraft
from venom_core.api.errors import anthropic_error
from venom_core.api.language import language_of
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame

if TYPE_CHECKING:
    from venom_core.api.queueing import QueueNotes
    from venom_core.chat.service import ChatCall, ChatService
    from venom_core.chat.stream import ChatStream


class MessageAnswer(ModelAnswer):
    """The ASGI answer to one request for a message.

    Args:
        hints: names of fields and headers that were taken and change nothing.
    """

    def __init__(
        self, service: ChatService, call: ChatCall, request: Request, hints: Sequence[str]
    ) -> None:
        super().__init__(service, call, request)
        self._hints = hints
        self._draft: MessageDraft | None = None

    def _made(self, stream: ChatStream) -> MessageDraft:
        if self._draft is None:
            self._draft = MessageDraft(self._call.model or stream.resolved.id)
        return self._draft

    def _notes(self, send: Send) -> QueueNotes | None:
        return None  # this wire has no comment that its clients pass over

    def _own_headers(self) -> dict[str, str]:
        own = {**super()._own_headers(), "request-id": self._call.request_id}
        if self._hints:
            own["Venom-Ignored-Hints"] = header_text(", ".join(self._hints))
        return own

    async def _frames(self, stream: ChatStream) -> AsyncGenerator[Frame, None]:
        draft = self._made(stream)
        source = stream.frames()
        try:
            async for frame in source:
                draft.hear(frame)
                yield frame
        finally:
            await source.aclose()
        draft.finish()

    def _shape(self, stream: ChatStream) -> EventShape:
        return _Events(self._made(stream), self._request)

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        return json.dumps(self._made(stream).record()).encode()


class _Events:
    """The events that a draft has to tell, as they come."""

    def __init__(self, draft: MessageDraft, request: Request) -> None:
        self._draft = draft
        self._request = request

    def frame(self, frame: Frame) -> bytes:
        return _told(self._draft.news())

    def end(self) -> bytes:
        return _told(self._draft.news())

    def failed(self, error: VenomError) -> bytes:
        told = anthropic_error(error, language_of(self._request.scope))
        return _told([*self._draft.news(), told])


def _told(events: Iterable[Mapping[str, Any]]) -> bytes:
    # Plain ASCII: half an emoji, which engines send at times, is no UTF-8.
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )
