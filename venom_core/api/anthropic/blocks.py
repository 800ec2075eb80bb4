"""Blocks of Anthropic's messages as messages of a chat: texts, images, calls and their results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.messages import MOST_PARTS


class Hints:
    """The names of fields that were taken and change nothing."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def see(self, part: Mapping[str, Any]) -> None:
        """Note the hint of a part that has one."""
        if part.get("cache_control") is not None:
            self.names.add("cache_control")


def system_of(system: str | Sequence[Mapping[str, Any]] | None, hints: Hints) -> list[Any]:
    """Return the instructions as a message, none where there are none."""
    if isinstance(system, str):
        text = system
    else:
        parts = [
            _text_of(block, f"system[{place}]", hints) for place, block in enumerate(system or ())
        ]
        text = "\n\n".join(part for part in parts if part)
    return [{"role": "system", "content": text}] if text else []


def messages_of(body: Mapping[str, Any], hints: Hints) -> list[dict[str, Any]]:
    """Return the turns of a conversation; results of calls become turns of their own, before what
    the user says beside them."""
    made: list[dict[str, Any]] = []
    for index, message in enumerate(body["messages"]):
        path = f"messages[{index}]"
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            raise InvalidRequest(
                f"A message is of {'user, assistant, system'}, not of {role!r}.",
                param=f"{path}.role",
                fix="Give instructions as system.",
            )
        blocks = _blocks(message.get("content"), f"{path}.content")
        if role == "system":
            texts = [_text_of(block, place, hints) for place, block in blocks]
            made.append({"role": "system", "content": "\n\n".join(texts)})
        elif role == "assistant":
            made.append(_assistant(blocks, hints))
        else:
            made += _user(blocks, hints)
    return made


def _blocks(content: object, path: str) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(content, str):
        return [(path, {"type": "text", "text": content})]
    if not isinstance(content, list) or not all(isinstance(one, Mapping) for one in content):
        raise InvalidRequest(
            "A content is a text or a list of parts.", param=path, fix="Give a text."
        )
    if len(content) > MOST_PARTS:
        raise InvalidRequest(
            f"A content has at most {MOST_PARTS:,} parts.", param=path, fix="Send fewer."
        )
    return [(f"{path}[{place}]", block) for place, block in enumerate(content)]


def _assistant(blocks: Sequence[tuple[str, Mapping[str, Any]]], hints: Hints) -> dict[str, Any]:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for path, block in blocks:
        hints.see(block)
        kind = block.get("type")
        if kind == "tool_use":
            arguments = json.dumps(block.get("input") or {}, ensure_ascii=False)
            function = {"name": _field(block, "name", path), "arguments": arguments}
            calls.append(
                {"id": _field(block, "id", path), "type": "function", "function": function}
            )
        elif kind == "thinking":
            thoughts.append(_field(block, "thinking", path))
        elif kind != "redacted_thinking":  # it says nothing to another model
            texts.append(_text_of(block, path, hints))
    made: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    if thoughts:
        made["reasoning_content"] = "".join(thoughts)
    if calls:
        made["tool_calls"] = calls
    elif made["content"] is None:
        made["content"] = ""
    return made


def _user(blocks: Sequence[tuple[str, Mapping[str, Any]]], hints: Hints) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for path, block in blocks:
        hints.see(block)
        if block.get("type") == "tool_result":
            content = _parts(_blocks(block.get("content") or "", f"{path}.content"), hints)
            call_id = _field(block, "tool_use_id", path)
            results.append({"role": "tool", "tool_call_id": call_id, "content": _joined(content)})
        else:
            parts += _parts([(path, block)], hints)
    return [*results, {"role": "user", "content": _joined(parts)}] if parts else results


def _parts(blocks: Sequence[tuple[str, Mapping[str, Any]]], hints: Hints) -> list[dict[str, Any]]:
    parts = []
    for path, block in blocks:
        if block.get("type") == "image":
            parts.append(_image(block, path))
        else:
            parts.append({"type": "text", "text": _text_of(block, path, hints)})
    return parts


def _joined(parts: Sequence[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Return texts alone as one: templates of local models join parts in ways of their own."""
    if all(part["type"] == "text" for part in parts):
        return "\n\n".join(part["text"] for part in parts)
    return list(parts)


def _image(block: Mapping[str, Any], path: str) -> dict[str, Any]:
    source = block.get("source")
    if isinstance(source, Mapping) and source.get("type") == "base64":
        kind = _field(source, "media_type", f"{path}.source")
        data = _field(source, "data", f"{path}.source")
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
    if isinstance(source, Mapping) and source.get("type") == "url":
        # The door refuses what is no data: URL, with its reason.
        url = _field(source, "url", f"{path}.source")
        return {"type": "image_url", "image_url": {"url": url}}
    raise UnsupportedParameter(
        "The source of this image cannot be read here.",
        param=f"{path}.source",
        fix="Send the image itself, as base64 with its media_type.",
    )


def _text_of(block: Mapping[str, Any], path: str, hints: Hints) -> str:
    hints.see(block)
    if block.get("type") != "text":
        raise UnsupportedParameter(
            f"A part of the type {block.get('type')!r} cannot be read here.",
            param=f"{path}.type",
            fix="Send text, image, tool_use, tool_result and thinking blocks.",
        )
    return _field(block, "text", path)


def _field(part: Mapping[str, Any], name: str, path: str) -> str:
    value = part.get(name)
    if not isinstance(value, str):
        raise InvalidRequest(
            f"The field {name!r} is missing, no text, or too long.",
            param=f"{path}.{name}",
            fix=f"Add {name}.",
        )
    return value
