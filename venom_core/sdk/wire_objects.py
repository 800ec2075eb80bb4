"""JSON of the OpenAI wire: read liberally, written strictly.

What servers put into their objects for "nothing yet" (``null``, ``""``, an empty list), names of
their own for what the wire has a name for, and bytes that are no UTF-8 are understood here, once;
what leaves is one line of valid JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from venom_core.sdk.bounded_json import check_values
from venom_core.sdk.printable import whole_characters


class FailedAnswer(ValueError):
    """The upstream ended its answer with a word for "I failed"; ``failure`` is what it says."""

    def __init__(self, failure: Any) -> None:
        super().__init__("the answer failed")
        self.failure = failure


#: Choices of one answer; an index beyond is no answer's.
MAX_CHOICES = 1024
BLANK = " \t\r\n\ufeff"
#: What engines call the wire's four reasons; any other word ends an answer as ``stop`` does.
_REASONS = {
    "length": "length",
    "max_tokens": "length",
    "max_length": "length",
    "model_length": "length",
    "max_output_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}
_FAILED = frozenset({"error", "abort", "aborted", "cancelled"})


def _number(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


# NaN and infinity are no JSON: they count as absent.
_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=lambda _: None)

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def load_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object in ``data``. Raises ``ValueError`` where there is none.

    A byte order mark and blanks around it are left out, a byte that is no UTF-8 is U+FFFD.
    """
    check_values(data)
    try:
        body = _DECODER.decode(data.decode("utf-8", "replace").strip(BLANK))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if not isinstance(body, dict):
        raise ValueError("no JSON object")
    return body


def dump(body: Mapping[str, Any]) -> bytes:
    """Return one line of JSON; numbers that JSON has not are null in it."""
    try:
        text = _ENCODER.encode(body)
    except ValueError:
        text = _ENCODER.encode(load_object(json.dumps(body).encode()))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return whole_characters(text).encode()


def normalised(body: dict[str, Any], *, answer: bool) -> dict[str, Any]:
    """Return a chunk, or a whole answer, in the wire's own terms; keys that the wire does not know
    stay. Raises ``ValueError`` where it is neither."""
    if body.get("error"):
        raise ValueError("an error is raised and no chunk")
    choices = body.get("choices") or ()
    if not isinstance(choices, list | tuple):
        raise ValueError("choices are a list")
    body = {key: value for key, value in body.items() if key != "error"}
    body["choices"] = [
        _choice(choice, place, answer) for place, choice in enumerate(choices) if choice is not None
    ]
    if not isinstance(body.get("usage"), dict) or not body["usage"]:
        body.pop("usage", None)
    return body


def _choice(choice: Any, place: int, answer: bool) -> dict[str, Any]:
    if not isinstance(choice, dict):
        raise ValueError("a choice is an object")
    reason = _finish_reason(choice)
    kept = {**choice, "index": _index(choice.get("index"), place), "finish_reason": reason}
    if answer and reason is None:
        kept["finish_reason"] = "stop"
    if "text" in kept and not (kept.get("delta") or kept.get("message")):
        kept["text"] = _text(kept["text"]) or ""
        return kept
    name, other = ("message", "delta") if answer else ("delta", "message")
    message = kept.pop(other, None)
    kept[name] = _message(kept.get(name) or message or {}, answer)
    return kept


def _message(message: Any, answer: bool) -> dict[str, Any]:
    if not isinstance(message, dict):
        raise ValueError("a message is an object")
    kept = {key: value for key, value in message.items() if key not in _TAKEN}
    role = message.get("role")
    if answer or (isinstance(role, str) and role):
        kept["role"] = role if isinstance(role, str) and role else "assistant"
    if answer or "content" in message:
        kept["content"] = _text(message.get("content"))
    thought = message.get("reasoning_content", message.get("reasoning"))
    if isinstance(thought, str):
        kept["reasoning_content"] = thought
    if calls := message.get("tool_calls"):
        if not isinstance(calls, list):
            raise ValueError("tool calls are a list")
        kept["tool_calls"] = [_tool_call(call, place, answer) for place, call in enumerate(calls)]
    if message.get("function_call"):
        kept["function_call"] = message["function_call"]
    return kept


_TAKEN = frozenset(
    {"role", "content", "reasoning", "reasoning_content", "tool_calls", "function_call"}
)


def _tool_call(call: Any, place: int, answer: bool) -> dict[str, Any]:
    function = call.get("function") or {} if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise ValueError("a tool call is an object")
    kept = {key: value for key, value in call.items() if value is not None}
    if not answer:
        kept["index"] = _index(call.get("index"), place)
    if not isinstance(kept.get("id", ""), str):
        kept["id"] = str(kept["id"])
    if kept.get("id") or answer:
        kept["type"] = "function"
    arguments = function.get("arguments")
    if arguments is None:
        arguments = ""
    elif not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    kept["function"] = {
        **{key: value for key, value in function.items() if value is not None},
        "arguments": arguments,
    }
    return kept


def _text(content: Any) -> str | None:
    """Return a text; some servers send it as a list of parts."""
    if content is None or isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "".join(text for text in texts if isinstance(text, str))
    raise ValueError("content is a text")


def _index(index: Any, place: int) -> int:
    if index is None:
        return place
    if isinstance(index, bool) or not isinstance(index, int | float) or index != int(index):
        raise ValueError("an index is a number")
    if not 0 <= index < MAX_CHOICES:
        raise ValueError("an index is a small number")
    return int(index)


def _finish_reason(choice: dict[str, Any]) -> str | None:
    reason = choice.get("finish_reason")
    if not isinstance(reason, str) or not (word := reason.strip().lower()):
        return None
    if word in _FAILED:
        raise FailedAnswer(choice.get("error") or "")
    return _REASONS.get(word, "stop")
