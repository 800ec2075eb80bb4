"""Sending a response: one object, or an event for each step of it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.types import Send

from venom_core.api.answering import EventShape, ModelAnswer
from venom_core.api.errors import openai_error
from venom_core.api.language import frame_in_language, language_of
from venom_core.api.queueing import QueueNotes
from venom_core.api.responses.draft import Draft
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame
from venom_core.store.responses import KeptResponse

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService
    from venom_core.chat.stream import ChatStream
    from venom_core.usecases.responses import ResponseUseCases


class ResponseAnswer(ModelAnswer):
    """The ASGI answer to one request for a response; it is kept before its end is told.

    Args:
        body: the request as it came in.
        items: its input.
    """

    def __init__(
        self,
        service: ChatService,
        call: ChatCall,
        request: Request,
        kept: ResponseUseCases,
        body: Mapping[str, Any],
        items: Sequence[Mapping[str, Any]],
    ) -> None:
        super().__init__(service, call, request)
        self._kept = kept
        self._asked = body
        self._items = items
        self._draft: Draft | None = None

    def _made(self, stream: ChatStream) -> Draft:
        if self._draft is None:
            self._draft = Draft(self._asked, self._call.model or stream.resolved.id)
        return self._draft

    def _notes(self, send: Send) -> QueueNotes | None:
        return None  # this wire has no comment that its clients pass over

    async def _frames(self, stream: ChatStream) -> AsyncGenerator[Frame, None]:
        draft = self._made(stream)
        source = stream.frames()
        try:
            async for frame in source:
                draft.hear(frame_in_language(frame, self._request.scope))
                yield frame
        finally:
            await source.aclose()
        draft.finish()
        if self._asked.get("store") is not False:
            previous = self._asked.get("previous_response_id")
            record = KeptResponse(draft.id, previous, self._items, draft.record())
            await self._kept.keep(self._call.key_id, record)

    def _shape(self, stream: ChatStream) -> EventShape:
        return _Events(self._made(stream), self._request)

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        return json.dumps(self._made(stream).record()).encode()


class _Events:
    """The events that a draft has to tell, as they come."""

    def __init__(self, draft: Draft, request: Request) -> None:
        self._draft = draft
        self._request = request

    def frame(self, frame: Frame) -> bytes:
        return _told(self._draft.news())

    def end(self) -> bytes:
        return _told(self._draft.news())

    def failed(self, error: VenomError) -> bytes:
        told = openai_error(error, language_of(self._request.scope))["error"]
        self._draft.fail(error.code, told["message"])
        return _told(self._draft.news())


def _told(events: Iterable[Mapping[str, Any]]) -> bytes:
    # Plain ASCII: half an emoji, which engines send at times, is no UTF-8.
    return b"".join(
        f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )
