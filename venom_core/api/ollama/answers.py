"""Sending an answer in Ollama's lines, or as one object."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from venom_core.api.answering import header_text
from venom_core.api.drafts import Draft, DraftedAnswer
from venom_core.api.errors import ollama_error
from venom_core.api.language import language_of
from venom_core.api.ollama.draft import Kind, OllamaDraft
from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService

LINES = "application/x-ndjson"


class OllamaAnswer(DraftedAnswer):
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

    def _drafted(self, model: str) -> Draft:
        return OllamaDraft(self._kind, model)

    def _broken(self, draft: Draft, error: VenomError) -> Iterable[Mapping[str, Any]]:
        return [*draft.news(), ollama_error(error, language_of(self._request.scope))]

    def _written(self, events: Iterable[Mapping[str, Any]]) -> bytes:
        return lines(events)

    def _own_headers(self) -> dict[str, str]:
        own = super()._own_headers()
        if self._call.stream:
            own["Content-Type"] = LINES
        if self._hints:
            own["Venom-Ignored-Hints"] = header_text(", ".join(self._hints))
        return own


def lines(told: Iterable[Mapping[str, Any]]) -> bytes:
    """Return objects as lines of JSON."""
    return b"".join(json.dumps(one).encode() + b"\n" for one in told)
