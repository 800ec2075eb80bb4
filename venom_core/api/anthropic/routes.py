"""The routes under ``/v1/messages``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from venom_core.api.answering import answer_headers
from venom_core.api.anthropic.answers import MessageAnswer
from venom_core.api.anthropic.blocks import Hints
from venom_core.api.anthropic.body import MessagesBody, chat_body
from venom_core.api.anthropic.wire import EVENTS, CountedTokens, MessageObject
from venom_core.api.bodies import checked
from venom_core.api.callers import request_id, traceparent
from venom_core.api.openapi.declared import answers
from venom_core.api.received_bodies import read_body
from venom_core.api.revocation import while_allowed
from venom_core.api.streaming import until_disconnect
from venom_core.chat.service import ChatCall
from venom_core.sdk.errors import UpstreamError

if TYPE_CHECKING:
    from venom_core.api.wires import WireRoute
    from venom_core.composition import Venom

BETA = "anthropic-beta"


class MessageRoutes:
    """The endpoints, over one ``Venom``."""

    def __init__(self, venom: Venom) -> None:
        self._venom = venom

    def table(self) -> Sequence[WireRoute]:
        """Return method, path and endpoint of each route."""
        return (
            ("POST", "/v1/messages", self.create_message),
            ("POST", "/v1/messages/count_tokens", self.count_tokens),
        )

    @answers(MessageObject, events=EVENTS, takes=MessagesBody)
    async def create_message(self, request: Request, key_id: str | None) -> Response:
        """Answer a conversation, whole or, with ``stream``, as an event for each step."""
        required = ("max_tokens", "messages")
        body = await read_body(request, lambda raw: checked(raw, MessagesBody, required))
        call, hints = _call(request, body, key_id)
        return MessageAnswer(self._venom.chat, call, request, hints)

    @answers(CountedTokens, takes=MessagesBody)
    async def count_tokens(self, request: Request, key_id: str | None) -> Response:
        """Count the tokens of a conversation as the engine does: it reads it, and one token of an
        answer is made and thrown away."""
        body = await read_body(request, lambda raw: checked(raw, MessagesBody, ("messages",)))
        call, hints = _call(request, {**body, "max_tokens": 1, "stream": False}, key_id)
        made: list[Response] = []
        async with until_disconnect(request.receive), while_allowed(request):
            made.append(await self._counted(call, hints))
        return made[0] if made else Response(status_code=499)

    async def _counted(self, call: ChatCall, hints: Sequence[str]) -> Response:
        stream = await self._venom.chat.open(replace(call, include_usage=True))
        try:
            frames = [frame async for frame in stream.frames()]
            usage = frames[-1].event.usage
        finally:
            await stream.close()
        if usage is None:
            raise UpstreamError("The engine does not tell how many tokens it read.")
        headers = answer_headers(stream)
        emulated = [headers[name] for name in ("Venom-Emulated",) if name in headers]
        headers["Venom-Emulated"] = ", ".join([*emulated, "count_tokens"])
        return JSONResponse({"input_tokens": usage.prompt_tokens}, headers=headers)


def _call(
    request: Request, body: dict[str, Any], key_id: str | None
) -> tuple[ChatCall, Sequence[str]]:
    hints = Hints()
    call = ChatCall(
        model=body.get("model"),
        body=chat_body(body, hints),
        request_id=request_id(request),
        stream=bool(body.get("stream")),
        include_usage=True,
        key_id=key_id,
        traceparent=traceparent(request),
    )
    if request.headers.get(BETA):
        hints.names.add(BETA)
    return call, sorted(hints.names)
