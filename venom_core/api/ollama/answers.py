"""Sending an answer in Ollama's lines, or as one object."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.types import Send

from venom_core.api.answering import EventShape, ModelAnswer, header_text
from venom_core.api.errors import ollama_error
from venom_core.api.language import language_of
from venom_core.api.ollama.draft import Kind, OllamaDraft
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame

if TYPE_CHECKING:
    from venom_core.api.queueing import QueueNotes
    from venom_core.chat.service import ChatCall, ChatService
    from venom_core.chat.stream import ChatStream

LINES = "application/x-ndjson"


class OllamaAnswer(ModelAnswer):
    """The ASGI answer to one chat or generation.

    Args:
        kind: whose lines they are.
        hints: names of what was taken and changes nothing.
    """

    pinged = False

    def __init__(
        self,
        service: ChatService,
        call: ChatCall,
        request: Request,
        kind: Kind,
        hints: Collection[str],
    ) -> None:
        super().__init__(service, call, request)
        self._kind: Kind = kind
        self._hints = sorted(hints)
        self._draft: OllamaDraft | None = None

    def _made(self, stream: ChatStream) -> OllamaDraft:
        if self._draft is None:
            self._draft = OllamaDraft(self._kind, self._call.model or stream.resolved.id)
        return self._draft

    def _notes(self, send: Send) -> QueueNotes | None:
        return None  # a line that is no answer would be one to its clients

    def _own_headers(self) -> dict[str, str]:
        own = super()._own_headers()
        if self._call.stream:
            own["Content-Type"] = LINES
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
        return _Lines(self._made(stream), self._request)

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        return json.dumps(self._made(stream).record()).encode()


class _Lines:
    """The lines that a draft has to tell, as they come."""

    def __init__(self, draft: OllamaDraft, request: Request) -> None:
        self._draft = draft
        self._request = request

    def frame(self, frame: Frame) -> bytes:
        return lines(self._draft.news())

    def end(self) -> bytes:
        return lines(self._draft.news())

    def failed(self, error: VenomError) -> bytes:
        told = ollama_error(error, language_of(self._request.scope))
        return lines([*self._draft.news(), told])


def lines(told: Iterable[Mapping[str, Any]]) -> bytes:
    """Return objects as lines of JSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)
