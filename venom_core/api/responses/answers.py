"""Sending a response: one object, or an event for each step of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from venom_core.api.drafts import Draft, DraftedAnswer
from venom_core.api.errors import openai_error
from venom_core.api.language import frame_in_language, language_of
from venom_core.api.responses.draft import ResponseDraft
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Frame
from venom_core.store.responses import KeptResponse

if TYPE_CHECKING:
    from venom_core.chat.service import ChatCall, ChatService
    from venom_core.usecases.responses import ResponseUseCases


class ResponseAnswer(DraftedAnswer):
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

    def _drafted(self, model: str) -> Draft:
        return ResponseDraft(self._asked, model)

    def _heard(self, frame: Frame) -> Frame:
        return frame_in_language(frame, self._request.scope)

    async def _finished(self, draft: Draft) -> None:
        if self._asked.get("store") is not False:
            record = draft.record()
            previous = self._asked.get("previous_response_id")
            kept = KeptResponse(record["id"], previous, self._items, record)
            await self._kept.keep(self._call.key_id, kept)

    def _broken(self, draft: Draft, error: VenomError) -> Iterable[Mapping[str, Any]]:
        assert isinstance(draft, ResponseDraft)
        told = openai_error(error, language_of(self._request.scope))["error"]
        draft.fail(error.code, told["message"])
        return draft.news()
