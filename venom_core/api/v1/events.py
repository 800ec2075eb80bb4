"""`GET /events`: one feed for everything that changes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any, NotRequired

from fastapi import Request
from starlette.responses import StreamingResponse
from typing_extensions import TypedDict

from venom_core.api.health import venom_of
from venom_core.api.language import in_language, language_headers, language_of
from venom_core.api.openapi.declared import NoData, answers
from venom_core.api.revocation import pieces_while_allowed
from venom_core.api.routing import keyed_router
from venom_core.language.polish import Language
from venom_core.models.views import OperationView
from venom_core.runtime.feed import TOPICS, Feed, FeedEvent
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.masking import masked
from venom_core.sdk.states import PluginStateLabel, ProviderStatusLabel
from venom_core.usecases.benchmark.views import BenchmarkView

router = keyed_router()


class FeedChange(TypedDict):
    """Something changed; ``event`` says what, and what else there is depends on it."""

    event: str
    role: NotRequired[str]
    provider: NotRequired[str]
    model: NotRequired[str]
    reference: NotRequired[str]
    alias: NotRequired[str]
    target: NotRequired[str]
    source: NotRequired[str]
    plugin: NotRequired[str]
    state: NotRequired[PluginStateLabel]
    status: NotRequired[ProviderStatusLabel]
    code: NotRequired[str | None]
    profile: NotRequired[str]
    before: NotRequired[str]
    service: NotRequired[str]
    action: NotRequired[str]
    success: NotRequired[bool]
    message: NotRequired[str | None]
    keys: NotRequired[list[str]]
    restart_required: NotRequired[list[str]]


#: What each topic's events hold. ``resync``: some were missed, ask anew for what you watch.
TOPIC_DATA = {
    "operations": OperationView,
    "models": FeedChange,
    "providers": FeedChange,
    "profile": FeedChange,
    "services": FeedChange,
    "settings": FeedChange,
    "benchmarks": BenchmarkView,
    "resync": NoData,
}


@router.get("/events")
@answers(events=TOPIC_DATA)
async def watch_events(request: Request, topics: str = "") -> StreamingResponse:
    """Stream server-sent events: ``event`` is the topic, ``data`` a JSON object, ``id`` counts up.

    ``topics`` is a comma-separated choice, everything where it is empty. ``Last-Event-ID`` goes on
    from there; where that is too long ago the first event is ``resync``: ask anew for what you
    watch.
    """
    chosen = [topic for topic in topics.split(",") if topic] or TOPICS
    for topic in chosen:
        if topic not in TOPICS:
            raise InvalidRequest(
                f"There is no topic {topic!r}.",
                code="unknown_topic",
                param="topics",
                fix=f"Choose one of: {', '.join(TOPICS)}",
            )
    last = request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 16 else None
    language = language_of(request.scope)
    return StreamingResponse(
        pieces_while_allowed(request, _stream(venom_of(request).feed, chosen, after, language)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", **language_headers(language)},
    )


async def _stream(
    feed: Feed, topics: list[str] | tuple[str, ...], after: int | None, language: Language
) -> AsyncGenerator[bytes, None]:
    with feed.watch(topics, after) as changes:
        yield b": watching\n\n"
        async for change in changes:
            yield b": ping\n\n" if change is None else _event(change, language)


def _event(change: FeedEvent, language: Language) -> bytes:
    data: Any = in_language(change.data, language)
    told = masked(json.dumps(data))
    return f"id: {change.id}\nevent: {change.topic}\ndata: {told}\n\n".encode()
