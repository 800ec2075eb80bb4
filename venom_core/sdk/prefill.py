"""An assistant's turn at the end of a conversation: the beginning of the answer that is asked for.

llama.cpp's server goes on from it. In a stream it sends what it adds; in an answer of one piece it
puts the beginning before that. Clients join the two themselves, so the beginning is taken off.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.bounded_json import loads


def beginning_of(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the text that the last turn begins the answer with; "" where it is no assistant's."""
    last = messages[-1] if messages else {}
    content = last.get("content") if last.get("role") == "assistant" else None
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "".join(str(part["text"]) for part in parts if part.get("type") == "text")


def without_beginning(data: bytes, messages: Sequence[Mapping[str, Any]]) -> bytes:
    """Return the JSON of a whole answer without what it was given to go on from.

    Only llama.cpp's are changed, which are told by their ``timings``: another engine begins a turn
    of its own, and may begin it in the same words.
    """
    beginning = beginning_of(messages)
    if not beginning:
        return data
    try:
        body = loads(data)
        if not isinstance(body["timings"], dict):
            return data
        for choice in body["choices"]:
            message = choice["message"]
            message["content"] = message["content"].removeprefix(beginning)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return data  # for whoever reads it next to say so
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")
