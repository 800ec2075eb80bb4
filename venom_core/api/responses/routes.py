"""The routes under ``/v1/responses``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from venom_core.api.bodies import checked
from venom_core.api.callers import request_id, traceparent
from venom_core.api.errors import OpenAIError
from venom_core.api.openapi.declared import answers
from venom_core.api.received_bodies import read_body
from venom_core.api.responses.answers import ResponseAnswer
from venom_core.api.responses.body import ResponseBody, chat_body, check_input
from venom_core.api.responses.items import as_items
from venom_core.api.responses.wire import EVENTS, DeletedResponse, InputItems, ResponseObject
from venom_core.chat.service import ChatCall
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.request_ids import fresh

if TYPE_CHECKING:
    from venom_core.api.wires import WireRoute
    from venom_core.composition import Venom

#: Items of one page of an input.
MOST_LISTED = 100
_PREFIXES = {"function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


class ResponseRoutes:
    """The endpoints, over one ``Venom``."""

    def __init__(self, venom: Venom) -> None:
        self._venom = venom

    def table(self) -> Sequence[WireRoute]:
        """Return method, path and endpoint of each route."""
        one = "/v1/responses/{response_id}"
        return (
            ("POST", "/v1/responses", self.create_response),
            ("GET", one, self.get_response),
            ("DELETE", one, self.delete_response),
            ("GET", f"{one}/input_items", self.list_input_items),
            ("POST", f"{one}/cancel", self.cancel_response),
        )

    @answers(ResponseObject, events=EVENTS, takes=ResponseBody)
    async def create_response(self, request: Request, key_id: str | None) -> Response:
        """Answer an input, whole or, with ``stream``, as an event for each step."""
        body = await read_body(request, lambda raw: checked(raw, ResponseBody))
        check_input(body)
        previous = body.get("previous_response_id")
        kept = self._venom.responses
        before = await kept.conversation(key_id, previous) if previous else []
        call = ChatCall(
            model=body.get("model"),
            body=chat_body(body, before),
            request_id=request_id(request),
            stream=bool(body.get("stream")),
            include_usage=True,
            key_id=key_id,
            traceparent=traceparent(request),
        )
        items = [_named(item) for item in as_items(body.get("input", ()))]
        return ResponseAnswer(self._venom.chat, call, request, kept, body, items)

    @answers(ResponseObject)
    async def get_response(self, request: Request, key_id: str | None) -> Response:
        """Return a response that was kept."""
        if request.query_params.get("stream", "false") != "false":
            raise UnsupportedParameter(
                "A kept response is not streamed.", param="stream", fix="Leave stream out."
            )
        found = await self._venom.responses.get(key_id, request.path_params["response_id"])
        return JSONResponse(dict(found.response))

    @answers(DeletedResponse)
    async def delete_response(self, request: Request, key_id: str | None) -> Response:
        """Forget a response; those that go on with it cannot be gone on with any more."""
        response_id = request.path_params["response_id"]
        await self._venom.responses.delete(key_id, response_id)
        return JSONResponse({"id": response_id, "object": "response", "deleted": True})

    @answers(InputItems)
    async def list_input_items(self, request: Request, key_id: str | None) -> Response:
        """Return what a response was asked with, the newest item first."""
        found = await self._venom.responses.get(key_id, request.path_params["response_id"])
        return JSONResponse(_page(found.input, request.query_params))

    @answers(OpenAIError, statuses=(400,))
    async def cancel_response(self, request: Request, key_id: str | None) -> Response:
        """Refuse: a response is made while its request is open, and closing it ends both."""
        found = await self._venom.responses.get(key_id, request.path_params["response_id"])
        raise InvalidRequest(
            f"The response {found.id!r} was not made in the background.",
            param="response_id",
            fix="Close the connection of a response under way: that ends it.",
        )


def _named(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as it is kept and listed: with an id and its type."""
    kind = item.get("type") or "message"
    made = {**item, "type": kind}
    made["id"] = item.get("id") or f"{_PREFIXES.get(kind, 'msg')}_{fresh()}"
    if kind == "message" and isinstance(item.get("content"), str):
        part = "output_text" if item.get("role") == "assistant" else "input_text"
        made["content"] = [{"type": part, "text": item["content"]}]
    return made


def _page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> InputItems:
    order = query.get("order", "desc")
    limit = query.get("limit", "20")
    if order not in ("asc", "desc"):
        raise InvalidRequest("order is asc or desc.", param="order", fix="Leave it out for desc.")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:4]) <= MOST_LISTED):
        raise InvalidRequest(
            f"limit is a number from 1 to {MOST_LISTED}.", param="limit", fix="Leave it out for 20."
        )
    listed = [dict(item) for item in (items if order == "asc" else reversed(items))]
    if (after := query.get("after")) is not None:
        place = next((at for at, item in enumerate(listed) if item.get("id") == after), None)
        if place is None:
            raise InvalidRequest(
                f"There is no item {after!r} in it.",
                param="after",
                fix="Use the last_id of a page.",
            )
        listed = listed[place + 1 :]
    page = listed[: int(limit)]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0].get("id") if page else None,
        "last_id": page[-1].get("id") if page else None,
        "has_more": len(listed) > len(page),
    }
