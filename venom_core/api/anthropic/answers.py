"""Sending a message: one object, or an event for each step of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from venom_core.api.answering import header_text
from venom_core.api.anthropic.draft import MessageDraft
from venom_core.api.drafts import Draft, DraftedAnswer
from venom_core.api.errors import anthropic_error
from venom_core.api.language import language_of
from venom_core.sdk.errors import VenomError

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService


class MessageAnswer(DraftedAnswer):
    """The ASGI answer to one request for a message.

    Args:
        hints: names of fields and headers that were taken and change nothing.
    """

    def __init__(
        self, service: ChatService, call: ChatCall, request: Request, hints: Sequence[str]
    ) -> None:
        super().__init__(service, call, request)
        self._hints = hints

    def _drafted(self, model: str) -> Draft:
        return MessageDraft(model)

    def _broken(self, draft: Draft, error: VenomError) -> Iterable[Mapping[str, Any]]:
        return [*draft.news(), anthropic_error(error, language_of(self._request.scope))]

    def _own_headers(self) -> dict[str, str]:
        own = {**super()._own_headers(), "request-id": self._call.request_id}
        if self._hints:
            own["Venom-Ignored-Hints"] = header_text(", ".join(self._hints))
        return own
