"""Translation, in one piece or as it comes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from venom_core.api.callers import caller_of, request_id, traceparent
from venom_core.api.errors import ending_of, error_response
from venom_core.api.health import venom_of
from venom_core.api.language import in_language, language_of, localized
from venom_core.api.openapi.declared import NoData, answers
from venom_core.api.revocation import while_allowed
from venom_core.api.routing import keyed_router
from venom_core.api.streaming import Events, start_events, until_disconnect
from venom_core.chat.protection import protect
from venom_core.chat.translation import (
    LANGUAGES,
    MAX_TEXT,
    Restart,
    Translation,
    TranslationCall,
    Translator,
)
from venom_core.chat.validation import Body
from venom_core.sdk.errors import VenomError
from venom_core.sdk.provider import Locality
from venom_core.sdk.records import ErrorRecord

router = keyed_router()


class TranslationView(TypedDict):
    """``source_lang`` is as it was asked for; ``model`` is null where there was nothing to
    translate, ``cached`` says that no model was asked."""

    translated_text: str
    target_lang: str
    source_lang: str | None
    model: str | None
    cached: bool


class TranslationResult(TranslationView):
    success: bool


class TextPiece(TypedDict):
    text: str


class TranslationBegun(TypedDict):
    """``protected`` are the parts of the text that stay letter by letter, in their order."""

    protected: list[str]


class TranslationState(TypedDict):
    """``model`` would translate now, null where ``refusal`` says why none would; ``locality`` and
    ``runs_at`` say where it runs."""

    success: bool
    languages: list[str]
    max_characters: int
    model: str | None
    locality: Locality | None
    runs_at: str | None
    refusal: ErrorRecord | None


TRANSLATION_EVENTS = {
    "start": TranslationBegun,
    "content": TextPiece,
    "restart": NoData,
    "done": TranslationView,
    "error": ErrorRecord,
}


class TranslationRequest(Body):
    """Languages are pl, en or de; without ``source_lang`` the model sees for itself. ``use_cache``
    false asks the model anew and keeps nothing."""

    text: str
    target_lang: str = Field(default="pl", max_length=100)
    source_lang: str | None = Field(default=None, max_length=100)
    use_cache: bool = True

    def call(self, request: Request) -> TranslationCall:
        return TranslationCall(
            self.text,
            self.target_lang,
            self.source_lang,
            self.use_cache,
            request_id(request),
            caller_of(request).key_id,
            traceparent(request),
        )


@router.get("/translate")
@answers(TranslationState)
async def get_translation(
    request: Request,
    target_lang: Annotated[str, Query(max_length=100)] = "pl",
    source_lang: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """Say which model would translate now between these languages, or why none would; no model is
    asked."""
    key_id = caller_of(request).key_id
    call = TranslationCall("", target_lang, source_lang, False, request_id(request), key_id)
    call.check()
    state: TranslationState = {
        "success": True,
        "languages": list(LANGUAGES),
        "max_characters": MAX_TEXT,
        "model": None,
        "locality": None,
        "runs_at": None,
        "refusal": None,
    }
    try:
        item = await venom_of(request).translator.foreseen(call)
    except VenomError as error:
        state["refusal"] = error.record()
    else:
        model = item.model
        state["model"] = item.reference
        state["locality"], state["runs_at"] = model.locality, model.runs_at
    return localized(request, state)


@router.post("/translate")
@answers(TranslationResult)
async def translate(request: Request, body: TranslationRequest) -> Response:
    """Translate with the active model for translation."""
    answer: list[Response] = []
    async with until_disconnect(request.receive):
        call = body.call(request)
        async with while_allowed(request):
            done = await venom_of(request).translator.translate(call)
        result: TranslationResult = {"success": True, **_view(done, body)}
        answer.append(localized(request, result))
        answer[0].headers["X-Request-Id"] = call.request_id
    return answer[0] if answer else Response(status_code=499)


@router.post("/translate/stream")
@answers(events=TRANSLATION_EVENTS)
async def translate_stream(request: Request, body: TranslationRequest) -> Response:
    """Stream events: ``start`` with what stays as it is, ``content`` with ``text``, ``restart``
    where what came counts for nothing, and at the end ``done`` with the whole translation, or
    ``error``."""
    return _StreamedTranslation(venom_of(request).translator, body, request)


class _StreamedTranslation(Response):
    """The ASGI answer; what goes wrong before the first word is a status."""

    def __init__(self, translator: Translator, body: TranslationRequest, request: Request) -> None:
        self._translator = translator
        self._body = body
        self._request = request
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = self._body.call(self._request)
        headers = {"X-Request-Id": call.request_id}
        async with (
            until_disconnect(receive),
            contextlib.aclosing(self._translator.pieces(call)) as pieces,
        ):
            try:
                async with while_allowed(self._request):
                    first = await anext(pieces)
            except Exception as error:
                response = error_response(scope, ending_of(error))
                response.headers.update(headers)
                await response(scope, receive, send)
                return
            await send(start_events(headers))
            await self._send(first, pieces, Events(send))

    async def _send(
        self,
        first: str | Restart | Translation,
        pieces: AsyncGenerator[str | Restart | Translation, None],
        events: Events,
    ) -> None:
        last: tuple[str, Mapping[str, Any]]
        lost: BaseException | None = None
        try:
            async with while_allowed(self._request), events.pinged():
                kept = protect(self._body.text.strip()).parts
                await events.send("start", {"protected": list(kept)})
                piece = first
                while not isinstance(piece, Translation):
                    if isinstance(piece, Restart):
                        await events.send("restart", {})
                    else:
                        await events.send("content", {"text": piece})
                    piece = await anext(pieces)
            last = ("done", _view(piece, self._body))
        except GeneratorExit:
            raise
        except BaseException as error:
            told = ending_of(error).record()
            last = ("error", in_language(told, language_of(self._request.scope)))
            lost = None if isinstance(error, Exception) else error
        await events.end(*last)
        if lost is not None:
            raise lost


def _view(done: Translation, body: TranslationRequest) -> TranslationView:
    return {
        "translated_text": done.text,
        "target_lang": body.target_lang,
        "source_lang": body.source_lang,
        "model": done.model,
        "cached": done.cached,
    }
