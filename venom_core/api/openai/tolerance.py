"""Bodies as clients send them, put as the schema has them: other words for the same.

Nothing is guessed here: each of these means one thing, and the official API takes it. The schema
stays strict, and what providers see has one form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What OpenAI's libraries put into an answer, and people send back with it: it asks for nothing.
_ONLY_IN_ANSWERS = frozenset({"annotations", "audio", "function_call", "refusal", "tool_calls"})


def as_meant(body: Any) -> Any:
    """Return a body with one word for each thing; what is of another type comes back as it is, for
    the schema to refuse."""
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if "stop" in body:
        body["stop"] = _stop(body["stop"])
    if isinstance(body.get("messages"), list):
        body["messages"] = [_message(message) for message in body["messages"]]
    if isinstance(body.get("tools"), list):
        body["tools"] = [_function(tool) for tool in body["tools"]]
    return body


def _stop(stop: Any) -> Any:
    """Return what to stop at; an empty text stops nowhere."""
    if stop == "":
        return None
    if not isinstance(stop, list) or "" not in stop:
        return stop
    return [text for text in stop if text != ""] or None


def _message(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    refusal = message.get("refusal")
    made = {
        name: value
        for name, value in message.items()
        if (value is not None or name == "content") and not _says_nothing(name, value)
    }
    if isinstance(refusal, str):  # the model's words, in a place of their own
        made.pop("refusal", None)
        made["content"] = made.get("content") or refusal
    if isinstance(made.get("content"), list):
        made["content"] = [_part(part) for part in made["content"]]
    if isinstance(made.get("tool_calls"), list):
        made["tool_calls"] = [_call(call) for call in made["tool_calls"]]
    return made


def _says_nothing(name: str, value: Any) -> bool:
    return name in _ONLY_IN_ANSWERS and value in (None, [], {}, "")


def _part(part: Any) -> Any:
    if not isinstance(part, dict):
        return part
    if part.get("type") == "refusal" and isinstance(part.get("refusal"), str):
        return {"type": "text", "text": part["refusal"]}
    if isinstance(part.get("image_url"), dict):
        image = part["image_url"]
        part = {**part, "image_url": {k: v for k, v in image.items() if v is not None}}
    return {name: value for name, value in part.items() if value is not None}


def _call(call: Any) -> Any:
    call = _function(call)
    if isinstance(call, dict) and isinstance(call.get("function"), dict):
        function: Mapping[str, Any] = call["function"]
        if function.get("arguments") in (None, ""):  # a tool without parameters
            call = {**call, "function": {**function, "arguments": "{}"}}
    return call


def _function(item: Any) -> Any:
    """Return a tool or a call of one with its type; there is one type that has a function."""
    if isinstance(item, dict) and item.get("type") is None and "function" in item:
        return {**item, "type": "function"}
    return item
