"""Answers of chat and completion as OpenAI's wire has them: one JSON object, or events up to
``[DONE]``."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from starlette.requests import Request

from venom_core.api.answering import EventShape, ModelAnswer
from venom_core.api.errors import openai_error
from venom_core.api.language import frame_in_language, language_of
from venom_core.sdk.errors import VenomError
from venom_core.sdk.frames import Envelope, Frame
from venom_core.sdk.request_ids import fresh

if TYPE_CHECKING:
    from venom_core.chat.stream import ChatStream

_PREFIX = {"chat": "chatcmpl-", "completion": "cmpl-"}
_DONE = b"data: [DONE]\n\n"


class AnswerResponse(ModelAnswer):
    """The ASGI answer to one chat or completion request."""

    def _envelope(self, stream: ChatStream) -> Envelope:
        call = self._call
        return Envelope(
            id=_PREFIX[call.wire] + fresh(),
            created=int(time.time()),
            model=call.model or stream.resolved.id,
            wire=call.wire,
            include_usage=call.include_usage,
        )

    def _shape(self, stream: ChatStream) -> EventShape:
        return _Chunks(self._envelope(stream), self._request)

    def _object(self, stream: ChatStream, answer: Frame) -> bytes:
        return frame_in_language(answer, self._request.scope).json(self._envelope(stream))

    def _broken_off(self, error: VenomError) -> bytes:
        return _error_event(error, self._request) + _DONE


class _Chunks:
    """One event for each frame, then ``[DONE]``."""

    def __init__(self, envelope: Envelope, request: Request) -> None:
        self._envelope = envelope
        self._request = request

    def frame(self, frame: Frame) -> bytes:
        told = frame_in_language(frame, self._request.scope)
        return b"data: " + told.json(self._envelope) + b"\n\n"

    def end(self) -> bytes:
        return _DONE

    def failed(self, error: VenomError) -> bytes:
        return _error_event(error, self._request) + _DONE


def _error_event(error: VenomError, request: Request) -> bytes:
    told = openai_error(error, language_of(request.scope))
    return b"data: " + json.dumps(told).encode() + b"\n\n"
