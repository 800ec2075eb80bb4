"""From an OpenAI body to Ollama's own: honoured, emulated, or refused by name."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter

#: OpenAI names of sampling parameters -> names of Ollama's options.
OPTIONS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repeat_penalty",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "seed": "seed",
}
#: The words of ``reasoning_effort`` -> ``think``: none is below low, none between high and max.
_EFFORTS: Mapping[str, bool | str] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}


def chat_request(model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of ``POST /api/chat`` for an OpenAI chat body.

    Always streamed, whatever the client asked for: only a stream shows that Ollama is alive, and
    only a stream ends at once when the client leaves.
    """
    request: dict[str, Any] = {
        "model": model,
        "messages": _messages(body["messages"]),
        **_common(body),
    }
    tools = _tools(body)
    if tools:
        request["tools"] = tools
    response_format = _format(body.get("response_format"))
    if response_format is not None:
        request["format"] = response_format
    think = _think(body.get("reasoning_effort"))
    if think is not None:
        request["think"] = think
    if body.get("logprobs"):
        request["logprobs"] = True
    if body.get("top_logprobs") is not None:
        request["top_logprobs"] = body["top_logprobs"]
    return request


def completion_request(model: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of ``POST /api/generate`` for an OpenAI completion body: the prompt goes to
    the model as it is, unless a suffix asks for the template that fills in the middle."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        # An empty prompt would only load the model.
        raise InvalidRequest("prompt must be a text that is not empty.", param="prompt")
    request: dict[str, Any] = {"model": model, "prompt": prompt, **_common(body)}
    if body.get("suffix"):
        request["suffix"] = body["suffix"]
    else:
        request["raw"] = True
    count = body.get("logprobs")
    if count is not None and count is not False:
        request["logprobs"] = True
        request["top_logprobs"] = int(count)
    return request


def _common(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what chats and completions share. ``truncate: false``: a prompt that does not fit is
    refused by Ollama, not cut. ``shift: false``: an answer that fills the context ends there,
    nothing of the prompt is thrown out to go on (:mod:`venom_ollama.window` has what newer versions
    get instead)."""
    common: dict[str, Any] = {"stream": True, "truncate": False, "shift": False}
    options = {ours: body[name] for name, ours in OPTIONS.items() if body.get(name) is not None}
    limit = _max_tokens(body)
    if limit is not None:
        options["num_predict"] = limit
    stop = body.get("stop")
    if stop:
        options["stop"] = [stop] if isinstance(stop, str) else list(stop)
    if options:
        common["options"] = options
    return common


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is None:
            continue
        # To Ollama 0 and less mean "no limit": the opposite of what was asked for.
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InvalidRequest(f"{name} must be a whole number above 0.", param=name)
        return value
    return None


def _tools(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    choice = body.get("tool_choice")
    if choice not in (None, "auto", "none"):
        raise UnsupportedParameter(
            "Ollama cannot be made to call a tool: tool_choice may be auto or none.",
            fix="Leave out tool_choice, and say in the prompt that the tool must be used.",
            param="tool_choice",
        )
    if body.get("parallel_tool_calls") is False:
        raise UnsupportedParameter(
            "Ollama cannot be limited to one tool call at a time.",
            fix="Leave out parallel_tool_calls.",
            param="parallel_tool_calls",
        )
    if choice == "none":
        return []
    tools = list(body.get("tools") or ())
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, Mapping) else None
        if not isinstance(function, Mapping) or tool.get("type", "function") != "function":
            raise UnsupportedParameter(
                "Ollama knows tools of the type function only.", param=f"tools[{index}].type"
            )
        if function.get("strict"):
            raise UnsupportedParameter(
                "Ollama does not force a tool call's arguments into the schema.",
                fix="Leave out strict, and check the arguments.",
                param=f"tools[{index}].function.strict",
            )
    return tools


def _format(value: Any) -> str | dict[str, Any] | None:
    kind = value.get("type") if isinstance(value, Mapping) else None
    if value is None or kind == "text":
        return None
    if kind == "json_object":
        return "json"
    if kind == "json_schema":
        schema = (value.get("json_schema") or {}).get("schema")
        if isinstance(schema, dict) and schema:
            return schema
        raise InvalidRequest(
            "response_format has no schema.", param="response_format.json_schema.schema"
        )
    raise UnsupportedParameter(
        "response_format may be text, json_object or json_schema.", param="response_format.type"
    )


def _think(effort: Any) -> bool | str | None:
    if effort is None:
        return None
    if isinstance(effort, str) and effort in _EFFORTS:
        return _EFFORTS[effort]
    raise UnsupportedParameter(
        f"Ollama knows no reasoning_effort {str(effort)[:20]!r}.",
        fix=f"Use one of {', '.join(_EFFORTS)}.",
        param="reasoning_effort",
    )


def _messages(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return OpenAI's turns as Ollama's. A tool's answer gets the name of the tool that was
    called."""
    names: dict[str, str] = {}
    turns = []
    for index, message in enumerate(messages):
        at = f"messages[{index}]"
        role = message.get("role")
        turn: dict[str, Any] = {"role": "system" if role == "developer" else role}
        turn |= _content(message.get("content"), f"{at}.content")
        if thought := message.get("reasoning_content") or message.get("reasoning"):
            turn["thinking"] = thought
        if message.get("tool_calls"):
            turn["tool_calls"] = _tool_calls(message["tool_calls"], f"{at}.tool_calls")
            for call in message["tool_calls"]:
                names[str(call.get("id"))] = call["function"]["name"]
        name = message.get("name")
        if role == "tool":
            call_id = str(message.get("tool_call_id", ""))
            name = name or names.get(call_id)
            turn |= {"tool_call_id": call_id} if call_id else {}
            turn |= {"tool_name": name} if name else {}
        elif name:
            raise UnsupportedParameter(
                "Ollama's messages carry no name of the speaker.",
                fix="Leave out name, or put it into the text.",
                param=f"{at}.name",
            )
        turns.append(turn)
    return turns


def _content(content: Any, at: str) -> dict[str, Any]:
    if content is None or isinstance(content, str):
        return {"content": content or ""}
    texts: list[str] = []
    images: list[str] = []
    for index, part in enumerate(content):
        kind = part.get("type")
        if kind == "text":
            texts.append(part.get("text", ""))
        elif kind == "image_url":
            images.append(_image(part.get("image_url"), f"{at}[{index}].image_url"))
        else:
            raise UnsupportedParameter(
                f"Ollama takes text and images, no {str(kind)[:40]!r}.", param=f"{at}[{index}].type"
            )
    turn: dict[str, Any] = {"content": "\n".join(texts)}
    return {**turn, "images": images} if images else turn


def _image(value: Any, at: str) -> str:
    """Return the base64 text of a ``data:`` URL. An address is never fetched: that would let a
    prompt make this machine call others."""
    url = value.get("url") if isinstance(value, Mapping) else value
    if not isinstance(url, str) or not url.startswith("data:"):
        raise InvalidRequest(
            "An image must come as data, its address is not fetched.",
            fix="Send it as data:image/png;base64,...",
            param=at,
        )
    head, _, data = url.partition(",")
    if not head.endswith(";base64") or not data:
        raise InvalidRequest("An image's data must be base64.", param=at)
    try:
        base64.b64decode(data, validate=True)
    except binascii.Error:
        raise InvalidRequest("An image's base64 cannot be read.", param=at) from None
    return data


def _tool_calls(calls: Sequence[Mapping[str, Any]], at: str) -> list[dict[str, Any]]:
    """Return calls whose arguments are an object, as Ollama wants, where OpenAI has JSON text."""
    result = []
    for index, call in enumerate(calls):
        function = call["function"]
        where = f"{at}[{index}].function.arguments"
        try:
            arguments = json.loads(function.get("arguments") or "{}")
        except (ValueError, TypeError):
            raise InvalidRequest("A tool call's arguments are no JSON.", param=where) from None
        if not isinstance(arguments, dict):
            raise InvalidRequest("A tool call's arguments are no JSON object.", param=where)
        item: dict[str, Any] = {"function": {"name": function["name"], "arguments": arguments}}
        if call.get("id"):
            item["id"] = call["id"]
        result.append(item)
    return result
