"""Items of the Responses API as messages of a chat: what was said, called and thought."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.messages import LONGEST_NAME, MOST_PARTS

_ROLES = ("user", "assistant", "system", "developer")
_NAMES = ("call_id", "name")
_TEXTS = ("input_text", "output_text", "text")


def messages_of(
    before: Sequence[Mapping[str, Any]],
    given: str | Sequence[Mapping[str, Any]],
    instructions: str | None,
) -> list[dict[str, Any]]:
    """Return the messages of a conversation.

    Args:
        before: the items that are kept of it.
        given: the new input, a text or items.
        instructions: what stands before everything; that of an earlier response does not.
    """
    turns = _Turns()
    if instructions:
        turns.add({"role": "system", "content": instructions})
    for item in before:
        turns.take(item, "previous_response_id")
    for index, item in enumerate(as_items(given)):
        turns.take(item, f"input[{index}]")
    return turns.whole()


def as_items(given: str | Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return an input as items; a text is what a user says."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given)


def joined_name(namespace: object, name: str) -> str:
    """Return the name of a function as a chat has it, which knows no namespaces."""
    return f"{namespace}__{name}" if isinstance(namespace, str) else name


def sealed(reasoning: str) -> str:
    """Return reasoning as a client keeps it that wants no response stored: not to be read by it,
    only to be sent back. It is no secret."""
    return base64.b64encode(json.dumps(reasoning).encode()).decode()


class _Turns:
    """Messages as they come together: what a model thought, said and called is one turn of it."""

    def __init__(self) -> None:
        self._made: list[dict[str, Any]] = []
        self._turn: dict[str, Any] | None = None

    def add(self, message: dict[str, Any]) -> None:
        self._close()
        self._made.append(message)

    def whole(self) -> list[dict[str, Any]]:
        self._close()
        return self._made

    def take(self, item: Mapping[str, Any], path: str) -> None:
        kind = item.get("type", "message")
        if kind == "message":
            self._message(item, path)
        elif kind == "function_call":
            name = joined_name(item.get("namespace"), _text(item, "name", path))
            call = {"name": name, "arguments": item.get("arguments") or "{}"}
            made = {"id": _text(item, "call_id", path), "type": "function", "function": call}
            self._own().setdefault("tool_calls", []).append(made)
        elif kind == "function_call_output":
            output = _content(item.get("output", ""), f"{path}.output")
            call_id = _text(item, "call_id", path)
            self.add({"role": "tool", "tool_call_id": call_id, "content": output})
        elif kind == "reasoning":
            self._reasoning(item)
        else:
            raise _unknown(kind, path)

    def _message(self, item: Mapping[str, Any], path: str) -> None:
        role = item.get("role")
        if role not in _ROLES:
            raise InvalidRequest(
                f"A message is of {', '.join(_ROLES)}, not of {role!r}.",
                param=f"{path}.role",
                fix="Give results of calls as function_call_output.",
            )
        content = _content(item.get("content"), f"{path}.content")
        if role != "assistant":
            self.add({"role": role, "content": content})
            return
        if self._turn is not None and ("content" in self._turn or "tool_calls" in self._turn):
            self._close()
        self._own()["content"] = content

    def _reasoning(self, item: Mapping[str, Any]) -> None:
        parts = item.get("content") or item.get("summary") or ()
        thought = "".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))
        thought = thought or _unsealed(item.get("encrypted_content"))
        if self._turn is not None:
            self._close()
        if thought:
            self._own()["reasoning_content"] = thought

    def _own(self) -> dict[str, Any]:
        if self._turn is None:
            self._turn = {"role": "assistant"}
        return self._turn

    def _close(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None and turn.keys() & {"content", "tool_calls"}:
            self._made.append({"content": None, **turn})


def _unsealed(kept: object) -> str:
    """Return the reasoning that :func:`sealed` made; that of another service says nothing here."""
    try:
        found = json.loads(base64.b64decode(str(kept), validate=True))
    except (binascii.Error, ValueError):
        return ""
    return found if isinstance(found, str) else ""


def _content(given: object, path: str) -> str | list[dict[str, Any]]:
    if isinstance(given, str):
        return given
    if not isinstance(given, list):
        raise InvalidRequest(
            "A content is a text or a list of parts.", param=path, fix="Give a text."
        )
    if len(given) > MOST_PARTS:
        raise InvalidRequest(
            f"A content has at most {MOST_PARTS:,} parts.", param=path, fix="Send fewer."
        )
    parts = [_part(part, f"{path}[{place}]") for place, part in enumerate(given)]
    if all(part["type"] == "text" for part in parts):
        # One text: templates of local models join parts in ways of their own.
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: object, path: str) -> dict[str, Any]:
    kind = part.get("type") if isinstance(part, Mapping) else None
    if isinstance(part, Mapping):
        if kind in _TEXTS:
            return {"type": "text", "text": _text(part, "text", path)}
        if kind == "refusal":
            return {"type": "text", "text": _text(part, "refusal", path)}
        if kind == "input_image" and isinstance(part.get("image_url"), str):
            detail = {"detail": part["detail"]} if isinstance(part.get("detail"), str) else {}
            return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}
    raise UnsupportedParameter(
        f"A part of the type {kind!r} cannot be read here.",
        param=f"{path}.type",
        fix="Send texts, and images as input_image with a data: URL in image_url.",
    )


def _text(item: Mapping[str, Any], name: str, path: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or (name in _NAMES and len(value) > LONGEST_NAME):
        raise InvalidRequest(
            f"The field {name!r} is missing, no text, or too long.",
            param=f"{path}.{name}",
            fix=f"Add {name}.",
        )
    return value


def _unknown(kind: object, path: str) -> UnsupportedParameter:
    return UnsupportedParameter(
        f"An item of the type {kind!r} cannot be read here.",
        param=f"{path}.type",
        fix="Send message, function_call, function_call_output and reasoning items.",
    )
