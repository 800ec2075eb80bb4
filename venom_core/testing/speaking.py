"""An engine in a few lines that answers every request of the OpenAI wire as it should.

It is a fake and holds no model: a token is a word, a chat is answered with one sentence, a vector
is made of a text's digest. What it answers depends on nothing but the request, and it keeps to
``max_tokens``, ``stop``, ``n``, ``tools``, images, ``reasoning_effort`` and its context. Give it to
a scripted engine (:mod:`venom_core.testing.engine`) to serve::

    async with scripted_engine(speaks) as engine:
        ...
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from venom_core.testing.engine import Reply, sse

#: Tokens, which are words here, that a prompt and its answer may have together.
CONTEXT = 256
SENTENCE = "Hello from an engine that holds no model at all."
THOUGHT = "Somebody greets me."
DIMENSIONS = 16


@dataclass(frozen=True, slots=True)
class Said:
    """One choice of an answer.

    Args:
        pieces: of its text, as a stream has them.
        reason: why it ends.
        call: of a tool: ``id``, ``name`` and ``arguments`` as text.
        thought: told apart from the text.
        more: further fields of a whole message.
    """

    pieces: Sequence[str]
    reason: str = "stop"
    index: int = 0
    call: Mapping[str, str] | None = None
    thought: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


def speaks(path: str, body: Any, models: Sequence[str] = ("m",)) -> Reply:
    """Return the lawful answer to a request.

    Args:
        models: the names that it serves; any other is not found.
    """
    if not isinstance(body, Mapping) or body.get("model") not in models:
        return _refused(404, "model_not_found", "There is no such model.")
    if path == "/v1/embeddings":
        return _embedded(body)
    prompt = _prompt(body)
    if prompt + 1 > CONTEXT:
        words = f"This model's maximum context length is {CONTEXT} tokens, you asked for {prompt}."
        return _refused(400, "context_length_exceeded", words)
    chat = path != "/v1/completions"
    choices = [_said(body, index, chat=chat) for index in range(_count(body))]
    return answered(body, choices, _usage(prompt, choices))


def answered(body: Mapping[str, Any], choices: Sequence[Said], usage: Mapping[str, int]) -> Reply:
    """Return what was said in the wire of the request: a chat has messages, a completion none."""
    if body.get("stream"):
        return Reply(sse(*events(body, choices, usage), "[DONE]"))
    wire = "chat.completion" if "messages" in body else "text_completion"
    whole = [_whole(one, chat="messages" in body) for one in choices]
    return _json({"id": "fake", "object": wire, "choices": whole, "usage": dict(usage)})


def events(
    body: Mapping[str, Any], choices: Sequence[Said], usage: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """Yield the events of a stream, one for each piece, without the last one's ``[DONE]``."""
    text = "messages" not in body
    for one in choices:
        for number, delta in enumerate(_deltas(one)):
            head = {} if number or text else {"role": "assistant"}
            yield _chunk(one.index, delta if text else {**head, **delta}, None, text)
        yield _chunk(one.index, {}, one.reason, text)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {"id": "fake", "choices": [], "usage": dict(usage)}


def _usage(prompt: int, choices: Sequence[Said]) -> dict[str, int]:
    said = sum(max(1, len(one.pieces)) if one.call is None else 2 for one in choices)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def _count(body: Mapping[str, Any]) -> int:
    return int(body.get("n") or 1)


def _prompt(body: Mapping[str, Any]) -> int:
    """Return the words of a request."""
    texts = [str(body.get("prompt") or "")]
    for message in body.get("messages") or ():
        content = message.get("content") or ""
        parts = content if isinstance(content, list) else [{"text": content}]
        texts += [str(part.get("text", "image")) for part in parts]
    return sum(len(text.split()) for text in texts) or 1


def _said(body: Mapping[str, Any], index: int, *, chat: bool) -> Said:
    tools = body.get("tools")
    if chat and tools and body.get("tool_choice") != "none":
        name = tools[0]["function"]["name"]
        call = {"id": f"call_{index}", "name": name, "arguments": json.dumps({"city": "Łódź"})}
        return Said((), "tool_calls", index, call)
    words, reason = _pieces(SENTENCE), "stop"
    for stop in _stops(body):
        place = "".join(words).find(stop)
        if place >= 0:
            words = _pieces("".join(words)[:place])
    limit = body.get("max_tokens")
    if isinstance(limit, int) and len(words) > limit:
        words, reason = words[:limit], "length"
    thinks = chat and body.get("reasoning_effort") not in (None, "none")
    return Said(words, reason, index, thought=THOUGHT if thinks else None)


def _stops(body: Mapping[str, Any]) -> list[str]:
    stop = body.get("stop") or []
    return [stop] if isinstance(stop, str) else list(stop)


def _pieces(text: str) -> list[str]:
    words = text.split(" ")
    return [word if not place else f" {word}" for place, word in enumerate(words) if word]


def _deltas(one: Said) -> Iterator[dict[str, Any]]:
    if one.thought:
        yield {"reasoning_content": one.thought}
    for piece in one.pieces:
        yield {"content": piece}
    if call := one.call:
        half = len(call["arguments"]) // 2
        function = {"name": call["name"], "arguments": call["arguments"][:half]}
        yield {"tool_calls": [{"index": 0, "id": call["id"], "type": "function",
                               "function": function}]}  # fmt: skip
        rest = {"arguments": call["arguments"][half:]}
        yield {"tool_calls": [{"index": 0, "function": rest}]}


def _chunk(index: int, delta: dict[str, Any], reason: str | None, text: bool) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "finish_reason": reason}
    choice |= {"text": delta.get("content", "")} if text else {"delta": delta}
    return {"id": "fake", "model": "/srv/models/secret.gguf", "choices": [choice]}


def _whole(one: Said, *, chat: bool) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": one.index, "finish_reason": one.reason}
    text = "".join(one.pieces)
    if not chat:
        return {**choice, "text": text}
    message: dict[str, Any] = {"role": "assistant", "content": text or None, **one.more}
    if one.thought:
        message["reasoning_content"] = one.thought
    if call := one.call:
        function = {"name": call["name"], "arguments": call["arguments"]}
        message["tool_calls"] = [{"id": call["id"], "type": "function", "function": function}]
    return {**choice, "message": message}


def _embedded(body: Mapping[str, Any]) -> Reply:
    given = body.get("input")
    texts = [given] if isinstance(given, str) else list(given or ())
    size = int(body.get("dimensions") or DIMENSIONS)
    rows = [
        {"object": "embedding", "index": place, "embedding": _vector(str(text), size)}
        for place, text in enumerate(texts)
    ]
    words = sum(len(str(text).split()) for text in texts)
    usage = {"prompt_tokens": words, "total_tokens": words}
    return _json({"object": "list", "data": rows, "usage": usage})


def _vector(text: str, size: int) -> list[float]:
    """Return a vector of length one, the same for the same text."""
    digest = b"".join(
        hashlib.sha256(f"{part} {text}".encode()).digest() for part in range(size // 32 + 1)
    )
    numbers = [byte / 255 - 0.5 for byte in digest[:size]]
    length = math.hypot(*numbers) or 1.0
    return [number / length for number in numbers]


def _json(body: Mapping[str, Any]) -> Reply:
    return Reply([json.dumps(body).encode()])


def _refused(status: int, code: str, message: str) -> Reply:
    error = {"message": message, "code": code, "type": "invalid_request_error"}
    return Reply([json.dumps({"error": error}).encode()], status)
