"""The body of ``POST /v1/messages``, and the chat body that it asks for.

Each field is honoured, or refused by name; ``cache_control`` is a hint that changes nothing, and
the answer says so. Source: the API reference of Anthropic's messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le, MaxLen, MinLen
from typing_extensions import TypedDict

from venom_core.api.anthropic.blocks import Hints, messages_of, system_of
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.messages import MOST_MESSAGES, MOST_STOPS, MOST_TOOLS, Name

#: Tokens of thinking -> how hard a model thinks that takes no number.
_EFFORTS = ((2048, "low"), (16_384, "medium"))


class MessagesBody(TypedDict, total=False):
    """A request for a message; null means "not set"."""

    model: Name | None
    max_tokens: Annotated[int, Ge(1), Le(10_000_000)]
    messages: Annotated[list[dict[str, Any]], MinLen(1), MaxLen(MOST_MESSAGES)]
    system: str | Annotated[list[dict[str, Any]], MaxLen(1024)] | None
    stop_sequences: Annotated[list[str], MaxLen(MOST_STOPS)] | None
    stream: bool | None
    temperature: Annotated[float, Ge(0), Le(1)] | None
    top_p: Annotated[float, Ge(0), Le(1)] | None
    top_k: Annotated[int, Ge(0), Le(100_000)] | None
    tools: Annotated[list[dict[str, Any]], MaxLen(MOST_TOOLS)] | None
    tool_choice: dict[str, Any] | None
    thinking: dict[str, Any] | None
    metadata: dict[str, Any] | None
    context_management: dict[str, Any] | None
    output_config: dict[str, Any] | None
    output_format: dict[str, Any] | None
    service_tier: Literal["auto", "standard_only"] | None


_OWN = frozenset(MessagesBody.__annotations__) - {
    *("model", "max_tokens", "stream", "temperature", "top_p", "top_k"),
}
#: Fields that ask for what is not there.
_FOREIGN: Mapping[str, str] = {
    "container": "Leave it out: Venom runs no code.",
    "mcp_servers": "Connect to them in the client, and give their tools.",
    "prompt": "Use messages.",
    "input": "Use messages.",
    "stop": "Use stop_sequences.",
    "n": "Ask several times.",
}


def chat_body(body: Mapping[str, Any], hints: Hints) -> dict[str, Any]:
    """Return the chat body that a request asks for; ``hints`` gets the names of what changes
    nothing. Raises ``InvalidRequest`` and ``UnsupportedParameter`` with the path of the field at
    fault."""
    for name, fix in _FOREIGN.items():
        if body.get(name):
            raise UnsupportedParameter(f"{name} is not read here.", param=name, fix=fix)
    made = {name: value for name, value in body.items() if name not in _OWN}
    hints.see(body)
    if body.get("context_management"):
        # It asks to leave parts out where they take room; the whole is what was said.
        hints.names.add("context_management")
    made["messages"] = [*system_of(body.get("system"), hints), *messages_of(body, hints)]
    if stops := [text for text in body.get("stop_sequences") or () if text]:
        made["stop"] = stops
    if effort := _effort(body.get("thinking")):
        made["reasoning_effort"] = effort
    output = body.get("output_config") or {}
    if output.get("effort"):
        hints.names.add("output_config.effort")
    if form := output.get("format") or body.get("output_format"):
        made["response_format"] = _response_format(form)
    if tools := body.get("tools"):
        made["tools"] = [_tool(tool, index, hints) for index, tool in enumerate(tools)]
    if choice := body.get("tool_choice"):
        made |= _tool_choice(choice)
    return made


def _effort(thinking: Mapping[str, Any] | None) -> str | None:
    """Return how hard the model is to think; None leaves it to the model."""
    kind = (thinking or {}).get("type", "adaptive")
    if kind in ("disabled", "adaptive"):
        return None
    budget = (thinking or {}).get("budget_tokens")
    if kind != "enabled" or not isinstance(budget, int) or isinstance(budget, bool) or budget < 1:
        raise InvalidRequest(
            "thinking is disabled, adaptive, or enabled with budget_tokens.",
            param="thinking",
            fix="Leave thinking out.",
        )
    return next((word for most, word in _EFFORTS if budget <= most), "high")


def _response_format(form: Mapping[str, Any]) -> dict[str, Any]:
    if form.get("type") != "json_schema":
        raise UnsupportedParameter(
            f"A format of the type {form.get('type')!r} cannot be honoured.",
            param="output_config.format.type",
            fix="Use json_schema.",
        )
    schema = {"name": "answer", "schema": form.get("schema") or {}, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _tool(tool: Mapping[str, Any], index: int, hints: Hints) -> dict[str, Any]:
    kind, name = tool.get("type") or "custom", tool.get("name")
    if kind != "custom":
        raise UnsupportedParameter(
            f"The built-in tool {kind!r} is not there: Venom runs no tools of its own.",
            param=f"tools[{index}].type",
            fix="Leave it out, or give a function that does it.",
        )
    if not isinstance(name, str):
        raise InvalidRequest(
            f"The field {'name'!r} is missing.",
            param=f"tools[{index}].name",
            fix=f"Add {'name'}.",
        )
    hints.see(tool)
    function: dict[str, Any] = {"name": name, "parameters": tool.get("input_schema") or {}}
    if isinstance(tool.get("description"), str):
        function["description"] = tool["description"]
    if tool.get("strict"):
        function["strict"] = True
    return {"type": "function", "function": function}


def _tool_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    kind = choice.get("type")
    words: Mapping[Any, Any] = {
        "auto": "auto",
        "any": "required",
        "none": "none",
        "tool": {"type": "function", "function": {"name": choice.get("name")}},
    }
    if kind not in words:
        raise InvalidRequest(
            f"tool_choice of the type {kind!r} cannot be honoured.",
            param="tool_choice.type",
            fix="Send one of: 'auto', 'any', 'tool', 'none'",
        )
    made: dict[str, Any] = {"tool_choice": words[kind]}
    if choice.get("disable_parallel_tool_use"):
        made["parallel_tool_calls"] = False
    return made
