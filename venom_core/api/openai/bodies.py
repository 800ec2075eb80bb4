"""The bodies of chat, completions, embeddings and ranking."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from venom_core.api.bodies import checked
from venom_core.api.openai.tolerance import as_meant
from venom_core.api.received_bodies import read_body
from venom_core.sdk.messages import ChatBody, CompletionBody, EmbeddingBody, RerankBody


async def read_chat(request: Request) -> dict[str, Any]:
    return await _read(request, ChatBody, ("messages",))


def check_chat(raw: bytes) -> dict[str, Any]:
    """Return the chat body in ``raw``: JSON text of a
    :class:`~venom_core.sdk.messages.ChatBody`."""
    return check(raw, ChatBody, ("messages",))


async def read_completion(request: Request) -> dict[str, Any]:
    return await _read(request, CompletionBody, ("prompt",))


async def read_embedding(request: Request) -> dict[str, Any]:
    return await _read(request, EmbeddingBody, ("input",))


async def read_rerank(request: Request) -> dict[str, Any]:
    return await _read(request, RerankBody, ("query", "documents"))


async def _read(request: Request, schema: Hashable, required: Sequence[str]) -> dict[str, Any]:
    return await read_body(request, lambda raw: check(raw, schema, required))


def check(raw: bytes, schema: Hashable, required: Sequence[str]) -> dict[str, Any]:
    """Return the body in ``raw``; raises ``InvalidRequest`` with the path of the field at fault."""
    return checked(raw, schema, required, as_meant)


def wants_usage(body: Mapping[str, Any]) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))
