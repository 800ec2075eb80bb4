"""Self-tests: made here or brought, kept, and shown."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from venom_core.api.callers import actor_of, caller_of
from venom_core.api.errors import ending_of, error_response
from venom_core.api.health import venom_of
from venom_core.api.inner_wire import InnerWire
from venom_core.api.language import in_language, language_of, localized
from venom_core.api.openapi.declared import answers
from venom_core.api.revocation import while_allowed
from venom_core.api.routing import keyed_router
from venom_core.api.scopes import CHAT
from venom_core.api.streaming import Events, start_events, until_disconnect
from venom_core.api.v1.models.shapes import SelfTestRequest
from venom_core.sdk.errors import VenomError
from venom_core.sdk.records import ErrorRecord
from venom_core.usecases.selftest.asking import Ask
from venom_core.usecases.selftest.keeping import KeptSelfTest, SelfTestRowView, SelfTestTable

router = keyed_router()


class SelfTestQuestion(TypedDict):
    group: str
    name: str


class SelfTestBegun(TypedDict):
    """``questions`` are what will be asked, in this order."""

    reference: str
    questions: list[SelfTestQuestion]


SELF_TEST_EVENTS = {
    "start": SelfTestBegun,
    "row": SelfTestRowView,
    "done": KeptSelfTest,
    "error": ErrorRecord,
}


@router.get("/models/{name:path}/selftest")
@answers(SelfTestTable)
async def self_test_table(request: Request, name: str) -> Response:
    """Return the rows of a model's last self-test; none where there was none."""
    return localized(request, await venom_of(request).self_tests.table(name))


@router.post("/models/{name:path}/selftest")
@answers(KeptSelfTest)
async def keep_self_test(request: Request, name: str, body: SelfTestRequest) -> Response:
    """Keep what `venom selftest` saw a model do just now; listings tell of it."""
    rows = [row.model_dump() for row in body.rows]
    done = await venom_of(request).self_tests.keep(name, rows, actor_of(request))
    return localized(request, done)


@router.post("/models/{name:path}/selftest/run")
@answers(events=SELF_TEST_EVENTS)
async def run_self_test(request: Request, name: str) -> Response:
    """Ask a model every question of a self-test and stream events: ``start``, a ``row`` each, and
    at the end ``done``, when it is kept, or ``error``. Whoever goes away ends it, and nothing of it
    is kept. ``/v1`` is asked by the key of this request, which needs the scope `chat` too."""
    reference = await venom_of(request).self_tests.reference(name)
    caller_of(request).check(CHAT)
    return _StreamedSelfTest(reference, request)


class _StreamedSelfTest(Response):
    """The ASGI answer; only another self-test under way is a status."""

    def __init__(self, reference: str, request: Request) -> None:
        self._self_tests = venom_of(request).self_tests
        self._reference = reference
        self._request = request
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.ExitStack() as turn:
            try:
                turn.enter_context(self._self_tests.turn(self._reference))
            except VenomError as error:
                await error_response(scope, error)(scope, receive, send)
                return
            async with until_disconnect(receive):
                await send(start_events({}))
                await self._send(Events(send))

    async def _send(self, events: Events) -> None:
        language = language_of(self._request.scope)
        last: tuple[str, Mapping[str, Any]]
        lost: BaseException | None = None

        async def tell(row: SelfTestRowView) -> None:
            await events.send("row", in_language(row, language))

        try:
            async with while_allowed(self._request), events.pinged():
                questions = [
                    {"group": of, "name": name} for of, name in self._self_tests.questions()
                ]
                await events.send("start", {"reference": self._reference, "questions": questions})
                ask = Ask(InnerWire(self._request), self._reference)
                rows = await self._self_tests.run(ask, tell)
                actor = actor_of(self._request)
                done = await self._self_tests.keep(self._reference, rows, actor)
            last = ("done", in_language(done, language))
        except BaseException as error:
            last = ("error", in_language(ending_of(error).record(), language))
            lost = None if isinstance(error, Exception) else error
        await events.end(*last)
        if lost is not None:
            raise lost
