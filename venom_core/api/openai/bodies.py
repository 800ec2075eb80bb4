"""Reading a request's body: JSON once, straight into the SDK's schema, errors with a path."""

from __future__ import annotations

import functools
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from pydantic_core import SchemaValidator, from_json
from starlette.requests import Request

from venom_core.api.json_text import json_text
from venom_core.api.openai.tolerance import as_meant
from venom_core.api.received_bodies import read_body
from venom_core.api.validation import invalid
from venom_core.chat.validation import check_fields, up_to_first_error
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.messages import ChatBody, CompletionBody, EmbeddingBody, RerankBody

# Strict: "0.7" is no number and 1 is no boolean. Unknown keys stay in: the parameter policy names
# them.
_CONFIG = ConfigDict(strict=True, extra="allow")


@functools.cache
def _validator(schema: Any) -> SchemaValidator:
    # A subclass, so that plugins see the plain TypedDict.
    whole = TypeAdapter(with_config(_CONFIG)(schema)).core_schema
    return SchemaValidator(up_to_first_error(whole))


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
    try:
        # Parsed apart from the check, since only the parser refuses NaN wherever it stands.
        found = as_meant(from_json(json_text(raw), allow_inf_nan=False))
        body: dict[str, Any] = _validator(schema).validate_python(found)
    except ValidationError as error:
        raise invalid(error.errors(include_url=False, include_input=False)) from error
    except ValueError as error:
        raise InvalidRequest(
            f"The body is not JSON: {error}.", fix="Check quotes, commas and numbers."
        ) from error
    check_fields(body)
    for name in required:
        if name not in body:
            raise InvalidRequest(f"The field {name!r} is missing.", param=name, fix=f"Add {name}.")
    return body


def wants_usage(body: Mapping[str, Any]) -> bool:
    return bool((body.get("stream_options") or {}).get("include_usage"))
