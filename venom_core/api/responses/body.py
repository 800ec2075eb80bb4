"""The body of ``POST /v1/responses``, and the chat body that it asks for.

Each field is honoured, or refused by name. What the chat wire has too goes on under its name there,
and what is unknown goes on as it is: the parameter policy names it. Source: the OpenAI API
reference for responses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from annotated_types import Ge, Le, MaxLen
from typing_extensions import TypedDict

from venom_core.api.responses.items import joined_name, messages_of
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter
from venom_core.sdk.messages import MOST_MESSAGES, MOST_TOOLS, Name

#: What OpenAI keeps beside a response: pairs, and characters of each.
MOST_METADATA = 16


class ReasoningBody(TypedDict, total=False):
    """Say how much the model thinks."""

    effort: str | None
    summary: str | None
    generate_summary: str | None


class TextBody(TypedDict, total=False):
    """The form of the text: ``format`` is ``text``, ``json_object`` or ``json_schema``."""

    format: dict[str, Any] | None
    verbosity: str | None


class StreamOptionsBody(TypedDict, total=False):
    """``include_obfuscation``: padding that is not made here."""

    include_obfuscation: bool | None


class ResponseBody(TypedDict, total=False):
    """A request for a response; null means "not set"."""

    model: Name | None
    input: str | Annotated[list[dict[str, Any]], MaxLen(MOST_MESSAGES)]
    instructions: str | None
    previous_response_id: Name | None
    store: bool | None
    stream: bool | None
    stream_options: StreamOptionsBody | None
    max_output_tokens: Annotated[int, Ge(1), Le(10_000_000)] | None
    temperature: Annotated[float, Ge(0), Le(2)] | None
    top_p: Annotated[float, Ge(0), Le(1)] | None
    top_logprobs: Annotated[int, Ge(0), Le(20)] | None
    tools: Annotated[list[dict[str, Any]], MaxLen(MOST_TOOLS)] | None
    tool_choice: str | dict[str, Any] | None
    parallel_tool_calls: bool | None
    max_tool_calls: Annotated[int, Ge(1)] | None
    text: TextBody | None
    reasoning: ReasoningBody | None
    truncation: str | None
    include: Annotated[list[str], MaxLen(64)] | None
    metadata: Annotated[dict[str, str], MaxLen(MOST_METADATA)] | None
    background: bool | None
    service_tier: str | None
    user: str | None
    safety_identifier: str | None
    prompt_cache_key: str | None
    client_metadata: dict[str, Any] | None


#: Fields of this wire alone, which are looked at here; the rest goes on.
_OWN = frozenset(ResponseBody.__annotations__) - {
    *("model", "stream", "temperature", "top_p", "parallel_tool_calls"),
}
#: Fields whose only honoured values are these.
_ONLY: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "background": ((False,), "Leave it out: a response is made while its request is open."),
    "truncation": (("disabled",), "Leave it out: nothing is cut away from a conversation here."),
    "service_tier": (("auto", "default"), "Leave it out: there is one tier."),
    "stream_options.include_obfuscation": ((False,), "Leave it out: no padding is sent."),
    "text.verbosity": (("medium",), "Leave it out, or say in the instructions how long it may be."),
    "reasoning.summary": (("auto",), "Leave it out: the reasoning is told as it is."),
    "reasoning.generate_summary": (("auto",), "Leave it out: the reasoning is told as it is."),
}
#: Fields of other wires that ask for something else than this one gives.
_FOREIGN: Mapping[str, str] = {
    "conversation": "Go on with previous_response_id.",
    "max_tokens": "Use max_output_tokens.",
    "messages": "Use input and instructions.",
    "n": "Ask several times.",
    "prompt": "Use input and instructions; there are no stored prompts.",
    "response_format": "Use text.format.",
}
ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"


def chat_body(body: Mapping[str, Any], before: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the chat body that a request asks for.

    Args:
        before: the items of the conversation that it goes on with.

    Raises ``InvalidRequest`` and ``UnsupportedParameter`` with the path of the field at fault.
    """
    _check_only(body)
    made = {name: value for name, value in body.items() if name not in _OWN}
    made["messages"] = messages_of(before, body.get("input", ()), body.get("instructions"))
    if (most := body.get("max_output_tokens")) is not None:
        made["max_tokens"] = most
    if effort := (body.get("reasoning") or {}).get("effort"):
        made["reasoning_effort"] = effort
    if (form := (body.get("text") or {}).get("format")) is not None:
        made["response_format"] = _response_format(form)
    if tools := body.get("tools"):
        made["tools"] = _functions(tools)
    if (choice := body.get("tool_choice")) is not None:
        made["tool_choice"] = _tool_choice(choice)
    if LOGPROBS in _included(body) or body.get("top_logprobs"):
        made["logprobs"] = True
        made["top_logprobs"] = body.get("top_logprobs") or 0
    return made


def _check_only(body: Mapping[str, Any]) -> None:
    for name, fix in _FOREIGN.items():
        if body.get(name) is not None:
            raise UnsupportedParameter(f"{name} is not read here.", param=name, fix=fix)
    for path, (honoured, fix) in _ONLY.items():
        value: Any = body
        for name in path.split("."):
            value = (value or {}).get(name)
        if value is not None and value not in honoured:
            raise UnsupportedParameter(f"{path} cannot be {value!r} here.", param=path, fix=fix)


def _included(body: Mapping[str, Any]) -> frozenset[str]:
    asked = body.get("include") or ()
    for index, name in enumerate(asked):
        if name not in (ENCRYPTED, LOGPROBS):
            raise UnsupportedParameter(
                f"{name!r} cannot be included: there is no such thing here.",
                param=f"include[{index}]",
                fix=f"Leave it out; {ENCRYPTED} and {LOGPROBS} can be included.",
            )
    return frozenset(asked)


def _response_format(form: Mapping[str, Any]) -> dict[str, Any]:
    if form.get("type") != "json_schema":
        return dict(form)
    schema = {name: value for name, value in form.items() if name != "type"}
    return {"type": "json_schema", "json_schema": schema}


def _functions(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for index, tool in enumerate(tools):
        path = f"tools[{index}]"
        if tool.get("type") != "namespace":
            made.append(_function(tool, None, path))
            continue
        inner = tool.get("tools")
        if not isinstance(inner, list) or not isinstance(tool.get("name"), str):
            raise InvalidRequest(
                "A namespace has a name and tools.", param=path, fix="Give its functions."
            )
        made += [
            _function(one, tool["name"], f"{path}.tools[{place}]")
            for place, one in enumerate(inner)
        ]
    return made


def _function(given: object, namespace: str | None, path: str) -> dict[str, Any]:
    tool: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    kind = tool.get("type")
    if kind != "function":
        raise UnsupportedParameter(
            f"The built-in tool {kind!r} is not there: Venom runs no tools of its own.",
            param=f"{path}.type",
            fix="Leave it out, or give a function that does it.",
        )
    function = {k: v for k, v in tool.items() if k != "type" and v is not None}
    if namespace is not None:
        function["name"] = joined_name(namespace, str(tool.get("name")))
    return {"type": "function", "function": function}


def _tool_choice(choice: str | Mapping[str, Any]) -> str | dict[str, Any]:
    if isinstance(choice, str):
        return choice
    if choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    raise UnsupportedParameter(
        f"tool_choice of the type {choice.get('type')!r} cannot be honoured.",
        param="tool_choice.type",
        fix="Use none, auto, required or a function's name; name only the tools that may be used.",
    )


def check_input(body: Mapping[str, Any]) -> None:
    """Raise ``InvalidRequest`` where there is nothing to answer."""
    if not body.get("input") and not body.get("previous_response_id"):
        raise InvalidRequest(
            f"The field {'input'!r} is missing.",
            param="input",
            fix="Add a text, or a list of items.",
        )
