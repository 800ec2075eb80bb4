"""Bodies of ``/api/chat`` and ``/api/generate``, and the chat or completion that they ask for.

Each field and option is honoured, or refused by name; what only a load of Ollama's own takes is
noted as a hint. Source: Ollama's API documentation, and records of its versions 0.24 and 0.32.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen
from typing_extensions import TypedDict

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.messages import MOST_MESSAGES, MOST_PARTS, MOST_TOOLS, Name

_ROLES = ("system", "user", "assistant", "tool")


class OllamaBody(TypedDict, total=False):
    """The fields of both requests. ``stream`` is on where it is not said."""

    model: Name
    stream: bool | None
    format: str | dict[str, Any] | None
    options: dict[str, Any] | None
    keep_alive: str | int | float | None
    think: bool | str | None
    logprobs: bool | None
    top_logprobs: Annotated[int, Ge(0), Le(20)] | None
    truncate: bool | None
    shift: bool | None


class OllamaChatBody(OllamaBody, total=False):
    """The body of ``/api/chat``; without messages it loads the model, or unloads it."""

    messages: Annotated[list[dict[str, Any]], MaxLen(MOST_MESSAGES)] | None
    tools: Annotated[list[dict[str, Any]], MaxLen(MOST_TOOLS)] | None


class OllamaGenerateBody(OllamaBody, total=False):
    """The body of ``/api/generate``; without a prompt it loads the model, or unloads it."""

    prompt: str | None
    suffix: str | None
    system: str | None
    template: str | None
    context: list[int] | None
    raw: bool | None
    images: Annotated[list[str], MaxLen(MOST_PARTS)] | None


#: Options under another name on the chat wire; those of the same name go on as they are.
_RENAMED = {"num_predict": "max_tokens"}
#: Options of how Ollama loads a model: another engine is set up by Venom, or by its model's own
#: configuration. They change no answer but by the room that there is.
_OF_A_LOAD = frozenset(
    {"num_batch", "num_ctx", "num_gpu", "num_keep", "num_thread", "main_gpu", "use_mmap", "numa"}
)
_WORDS = {"minimal": "minimal", "low": "low", "medium": "medium", "high": "high", "max": "max"}


def parameters(body: Mapping[str, Any], hints: set[str]) -> dict[str, Any]:
    """Return what both requests ask for as parameters of the chat wire.

    Args:
        hints: gets the names of what changes nothing.
    """
    made: dict[str, Any] = {}
    for name, value in (body.get("options") or {}).items():
        if name in _OF_A_LOAD:
            hints.add(f"options.{name}")
        elif value is not None:
            made[_RENAMED.get(name, name)] = value
    if isinstance(most := made.get("max_tokens"), int) and most <= 0:
        made.pop("max_tokens")  # -1, -2 and 0 are no bound
    if (kept := body.get("keep_alive")) is not None and kept not in (0, "0"):
        hints.add("keep_alive")
    hints.update(name for name in ("truncate", "shift") if body.get(name) is not None)
    if form := body.get("format"):
        made["response_format"] = _response_format(form)
    if (effort := _effort(body.get("think"))) is not None:
        made["reasoning_effort"] = effort
    if body.get("logprobs"):
        made |= {"logprobs": True, "top_logprobs": body.get("top_logprobs") or 0}
    return made


def chat_messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages of a chat; calls get ids, by which their results are told apart."""
    made: list[dict[str, Any]] = []
    waiting: list[tuple[str, str]] = []
    for index, message in enumerate(body.get("messages") or ()):
        path = f"messages[{index}]"
        role = message.get("role")
        if role not in _ROLES:
            raise InvalidRequest(
                f"A message is of {', '.join(_ROLES)}, not of {role!r}.",
                param=f"{path}.role",
                fix="Give instructions as system.",
            )
        turn: dict[str, Any] = {"role": role, "content": _content(message, path)}
        if thought := message.get("thinking"):
            turn["reasoning_content"] = thought
        if calls := message.get("tool_calls"):
            turn["tool_calls"] = _calls(calls, f"{path}.tool_calls", index)
            waiting = [(call["function"]["name"], call["id"]) for call in turn["tool_calls"]]
        if role == "tool":
            turn["tool_call_id"] = _answered(message, waiting, path)
        made.append(turn)
    return made


def generate_messages(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a prompt as messages, as Ollama puts it into the model's template."""
    refused = {
        "context": "Use /api/chat: a conversation is sent as its messages.",
        "template": "Leave it out: the model's own template counts.",
        "suffix": "Use /v1/completions.",
    }
    for name, fix in refused.items():
        if body.get(name):
            raise UnsupportedParameter(f"{name} is not read here.", param=name, fix=fix)
    first = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    said = {"content": body.get("prompt") or "", "images": body.get("images")}
    return [*first, {"role": "user", "content": _content(said, "")}]


def _content(message: Mapping[str, Any], path: str) -> str | list[dict[str, Any]]:
    text, images = message.get("content") or "", message.get("images") or ()
    if not isinstance(text, str) or not isinstance(images, Sequence) or isinstance(images, str):
        raise InvalidRequest(
            "A content is a text, and images are a list.",
            param=f"{path}.content".removeprefix("."),
            fix="Give a text.",
        )
    if not images:
        return text
    parts = [{"type": "image_url", "image_url": {"url": _data_url(one, path)}} for one in images]
    return [{"type": "text", "text": text}, *parts]


#: The first characters of an image's base64, by its kind.
_KINDS = {"iVBOR": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}


def _data_url(image: object, path: str) -> str:
    if isinstance(image, str) and image.startswith("data:image/"):
        return image
    if isinstance(image, str):
        for start, kind in _KINDS.items():
            if image.startswith(start):
                return f"data:image/{kind};base64,{image}"
    raise InvalidRequest(
        "This image is no PNG, JPEG, GIF or WebP in base64.",
        param=f"{path}.images".removeprefix("."),
        fix="Send the image itself, in base64.",
    )


def _calls(calls: object, path: str, index: int) -> list[dict[str, Any]]:
    made = []
    for place, call in enumerate(calls if isinstance(calls, list) else [calls]):
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise InvalidRequest(
                "A call of a tool has a function with its name.",
                param=f"{path}[{place}]",
                fix="Send back the calls as they came.",
            )
        arguments = function.get("arguments") or {}
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        call_id = call.get("id") if isinstance(call.get("id"), str) else f"call_{index}_{place}"
        inner = {"name": function["name"], "arguments": text}
        made.append({"id": call_id, "type": "function", "function": inner})
    return made


def _answered(message: Mapping[str, Any], waiting: list[tuple[str, str]], path: str) -> str:
    """Return the id of the call that a result is of: by its id, by its tool's name, by its turn."""
    if isinstance(given := message.get("tool_call_id"), str):
        return given
    name = message.get("tool_name") or message.get("name")
    found = next((one for one in waiting if one[0] == name), waiting[0] if waiting else None)
    if found is None:
        raise InvalidRequest(
            "No call waits for this result.",
            param=path,
            fix="Send the message with the call before it.",
        )
    waiting.remove(found)
    return found[1]


def _response_format(form: str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(form, Mapping):
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": dict(form)}}
    if form == "json":
        return {"type": "json_object"}
    raise InvalidRequest(
        "format is json or a JSON schema.", param="format", fix="Leave format out."
    )


def _effort(think: bool | str | None) -> str | None:
    if think is None or think is True:
        return None if think is None else "medium"
    if think is False:
        return "none"
    if think in _WORDS:
        return _WORDS[think]
    raise InvalidRequest(
        "think is true, false, low, medium, high or max.", param="think", fix="Leave think out."
    )
