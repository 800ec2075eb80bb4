"""Tool calls for engines that parse none, or take no word for which is to be called.

What the model may write is held to a JSON schema: one branch for each tool that may be called.
Where it may answer in words, words are one more tool, which it reads among the others and is as
free to choose. What it writes is turned into calls and text of the OpenAI wire as it comes.
"""

from __future__ import annotations

import functools
import json
import re
import secrets
import tomllib
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from venom_core.sdk.bounded_json import loads
from venom_core.sdk.errors import InvalidRequest, UnsupportedParameter, UpstreamError
from venom_core.sdk.frames import Answer, Choice, Chunk, Frame, ToolCall
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.text_pieces import StopStrings
from venom_core.sdk.tool_schemas import Tool, call_schema, read_tools
from venom_core.sdk.whole_answers import Gathered

#: What is read of an answer before it must be known which tool it calls.
LONGEST_HEAD = 4096
_REPLY = "reply"
_PROMPTS = Path(__file__).with_suffix(".toml")
_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*', re.DOTALL)
_STRUCTURE = re.compile(r'\{\s*"text"\s*:\s*')
_WORDS = re.compile(_STRUCTURE.pattern + '"')
_HEX = "[0-9a-fA-F]"
#: What is whole of a JSON string that is not at its end; halves of a character come together.
_CHARACTERS = re.compile(
    r'(?:[^"\\]'
    rf"|\\u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
    rf"|\\u(?![dD][89abAB]){_HEX}{{4}}"
    rf"|\\u[dD][89abAB]{_HEX}{{2}}(?=[^\\]|[\s\S]{{6}})"
    r"|\\[^u])*"
)


@dataclass(frozen=True, slots=True)
class EmulatedTools:
    """A chat whose tools are emulated.

    Args:
        body: for the engine. It has the tools for the model's template to show, and a
            ``response_format``; no other word of which is to be called.
        reply: the tool that stands for words, None where one of the client's must be called.
        structured: the client has a schema for those words.
        stops: the client's stop strings; they end words, and no call.
    """

    body: Mapping[str, Any]
    reply: str | None
    structured: bool = False
    stops: tuple[str, ...] = ()

    async def read(self, frames: AsyncGenerator[Frame, None]) -> AsyncGenerator[Frame, None]:
        """Yield the engine's frames with calls and words in the place of its JSON.

        Raises ``UpstreamError`` where the engine does not keep to the schema.
        """
        readers: dict[int, _Reader] = {}
        async with aclosing(frames):
            async for frame in frames:
                event = frame.event
                choices: list[Choice] = []
                for choice in event.choices:
                    reader = readers.setdefault(choice.index, _Reader(self))
                    choices += reader.read(choice)
                found = Chunk(tuple(choices), event.usage)
                if isinstance(event, Answer):
                    gathered = Gathered()
                    gathered.add(found)
                    yield Frame.of(gathered.answer())
                else:
                    yield Frame.of(found)


def with_emulated_tools(request: ChatRequest) -> tuple[ChatRequest, EmulatedTools | None]:
    """Return a chat request for an engine that holds answers to a schema, and what reads the answer
    to it: None where no tool may be called, or the engine reads the model's own calls. Notes in
    ``request.sent`` what is sent instead.

    Raises as :func:`emulate_tools` does.
    """
    body = request.body
    if not body.get("tools") or body.get("tool_choice") == "none":
        names = ("tools", "tool_choice", "parallel_tool_calls")
        rest = {name: value for name, value in body.items() if name not in names}
        return replace(request, body=rest), None
    if request.native_tools and body.get("tool_choice") in (None, "auto"):
        return request, None
    found = emulate_tools(body)
    request.sent.body = found.body
    request.sent.emulate("tools")
    return replace(request, body=found.body), found


async def with_tools(
    request: ChatRequest, chat: Callable[[ChatRequest], AsyncGenerator[Frame, None]]
) -> AsyncGenerator[Frame, None]:
    """Yield the answer to a chat request, tools emulated; what a refusal says of the schema that
    the answer is held to, it says of the tools.

    Args:
        chat: asks an engine that holds answers to a ``response_format``.

    Raises as :func:`emulate_tools` does.
    """
    made, tools = with_emulated_tools(request)
    frames = chat(made) if tools is None else tools.read(chat(made))
    try:
        async with aclosing(frames):
            async for frame in frames:
                yield frame
    except InvalidRequest as error:
        if tools is None or error.param != "response_format":
            raise
        told = InvalidRequest(error.message, param="tools", code=error.code, fix=error.fix)
        raise told from error


def emulate_tools(body: Mapping[str, Any]) -> EmulatedTools:
    """Return a chat body with tools in a form for engines that hold an answer to a schema.

    One call an answer is made, which ``parallel_tool_calls`` allows either way.

    Raises ``InvalidRequest`` or ``UnsupportedParameter`` naming the field.
    """
    tools = read_tools(body["tools"])
    for name in ("logprobs", "top_logprobs"):
        if body.get(name):
            raise UnsupportedParameter(
                f"{name!r} cannot be had with tools that are emulated.",
                param=name,
                fix="Leave it out, or leave tools out.",
            )
    chosen = _chosen(tools, body.get("tool_choice"))
    rest = {
        name: value
        for name, value in body.items()
        if name not in ("tool_choice", "parallel_tool_calls", "response_format", "stop")
    }
    if chosen is not None:
        names = {tool.name for tool in chosen}
        shown = [tool for tool in body["tools"] if tool["function"]["name"] in names]
        return EmulatedTools({**rest, "tools": shown, **_held_to(chosen)}, None)
    reply = _free_name({tool.name for tool in tools})
    wanted = _wanted(body.get("response_format"))
    words = Tool(reply, _arguments(wanted or {"type": "string"}))
    shown = [_shown(words), *body["tools"]]
    rest["messages"] = _instructed(body["messages"], reply)
    made = {**rest, "tools": shown, **_held_to((words, *tools))}
    return EmulatedTools(made, reply, wanted is not None, _stops(body.get("stop")))


def _chosen(tools: Sequence[Tool], choice: Any) -> Sequence[Tool] | None:
    """Return the tools one of which must be called, None where none needs to be."""
    if choice in (None, "auto"):
        return None
    if choice == "required":
        return tools
    function = choice.get("function") if isinstance(choice, Mapping) else None
    if not isinstance(function, Mapping) or choice.get("type", "function") != "function":
        raise InvalidRequest(
            "tool_choice is none, auto, required, or names one function.",
            param="tool_choice",
            fix="To name one, send an object of the type function with its name.",
        )
    named = [tool for tool in tools if tool.name == function.get("name")]
    if not named:
        raise InvalidRequest(
            "tool_choice names none of the tools.",
            param="tool_choice.function.name",
            fix="Name one of the request's tools.",
        )
    return named


def _free_name(taken: set[str]) -> str:
    name = _REPLY
    while name in taken:
        name += "_"
    return name


def _arguments(text: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"text": dict(text)},
        "required": ["text"],
        "additionalProperties": False,
    }


def _shown(words: Tool) -> dict[str, Any]:
    """Return the tool that stands for words as the model reads it."""
    return {
        "type": "function",
        "function": {
            "name": words.name,
            "description": _prompts()["description"],
            "parameters": words.parameters,
        },
    }


@functools.cache
def _prompts() -> Mapping[str, str]:
    return tomllib.loads(_PROMPTS.read_text(encoding="utf-8"))


def _instructed(messages: Sequence[Mapping[str, Any]], reply: str) -> list[Mapping[str, Any]]:
    """Return the messages with a word to the model about the tools, behind the client's own."""
    told = _prompts()["instruction"].format(reply=reply)
    first = messages[0]
    if first["role"] not in ("system", "developer"):
        system = {"role": "system", "content": f"{_prompts()['system']} {told}"}
        return [system, *messages]
    own = first.get("content") or ""
    content: Any = f"{own}\n\n{told}"
    if isinstance(own, list):
        content = [*own, {"type": "text", "text": told}]
    return [{**first, "content": content}, *messages[1:]]


def _held_to(tools: Sequence[Tool]) -> dict[str, Any]:
    schema = {"name": "call", "schema": call_schema(tools)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _wanted(response_format: Any) -> Mapping[str, Any] | None:
    """Return the schema that the client has for words, None where they are free."""
    given = response_format if isinstance(response_format, Mapping) else {}
    kind = given.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    schema = (given.get("json_schema") or {}).get("schema")
    if kind != "json_schema" or not isinstance(schema, Mapping):
        raise InvalidRequest(
            "response_format is text, json_object, or json_schema with a schema.",
            param="response_format",
        )
    return schema


def _stops(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())


class _Reader:
    """Reads one choice of an answer."""

    def __init__(self, asked: EmulatedTools) -> None:
        self._asked = asked
        self._head = ""
        self._part: _Words | _Json | None = None
        self._calls = self._ended = False

    def read(self, choice: Choice) -> list[Choice]:
        """Return what a piece stands for; nothing where that is nothing yet, or after an end."""
        if self._ended:
            return []
        text = choice.content or ""
        calls: list[ToolCall] = []
        if self._part is None:
            text, calls = self._begin(self._head + text)
        given = "" if self._part is None else self._part.add(text)
        reason = choice.finish_reason
        if isinstance(self._part, _Words) and self._part.stopped:
            reason = "stop"
        if reason is not None:
            self._ended = True
            given += self._end(cut=reason != "stop")
            reason = "tool_calls" if self._calls and reason == "stop" else reason
        if given and self._calls:
            calls.append(ToolCall(0, arguments=given))
        content = given if given and not self._calls else None
        made = replace(choice, content=content, tool_calls=tuple(calls), finish_reason=reason)
        return [made] if made.carries_delta or reason is not None else []

    def _begin(self, head: str) -> tuple[str, list[ToolCall]]:
        """Return the text behind the name of the tool, and the beginning of its call."""
        found = _HEAD.match(head)
        if found is None:
            if len(head) > LONGEST_HEAD:
                raise _not_held()
            self._head = head
            return "", []
        name = json.loads(found[1])
        if name != self._asked.reply:
            self._calls, self._part = True, _Json(closing=1)
            call = ToolCall(0, f"call_{secrets.token_hex(12)}", name)
            return head[found.end() :], [call]
        words = (_STRUCTURE if self._asked.structured else _WORDS).match(head, found.end())
        if words is None:
            self._head = head
            return "", []
        self._part = _Json(closing=2) if self._asked.structured else _Words(self._asked.stops)
        return head[words.end() :], []

    def _end(self, *, cut: bool) -> str:
        if self._part is not None:
            return self._part.end(cut=cut)
        if not cut:
            raise _not_held()
        return ""


class _Words:
    """The words of a JSON string, up to a stop string."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._held = ""
        self._text = StopStrings(stops)

    @property
    def stopped(self) -> bool:
        """Return whether a stop string has come."""
        return self._text.stopped

    def add(self, text: str) -> str:
        """Return the words that are whole by now."""
        held = self._held + text
        whole = _CHARACTERS.match(held)
        assert whole is not None
        self._held = held[whole.end() :]
        return self._text.add(json.loads(f'"{whole[0]}"', strict=False))

    def end(self, *, cut: bool) -> str:
        """Return what was held back."""
        return self._text.end()


class _Json:
    """A JSON value inside of objects; ``closing``: of how many."""

    def __init__(self, closing: int) -> None:
        self._around = re.compile(r"\s*\}" * closing + r"\s*\Z")
        self._given: list[str] = []
        self._held = ""

    def add(self, text: str) -> str:
        """Return what is surely not the end of an object around it."""
        held = self._held + text if self._given else (self._held + text).lstrip()
        safe = len(held.rstrip("} \t\r\n"))
        if not safe:
            self._held = held
            return ""
        self._given.append(held[:safe])
        self._held = held[safe:]
        return held[:safe]

    def end(self, *, cut: bool) -> str:
        """Return the rest of the value. Raises ``UpstreamError`` where it is no JSON, unless its
        answer was cut."""
        closing = self._around.search(self._held)
        rest = self._held[: closing.start()] if closing else self._held
        if _is_json("".join(self._given) + rest):
            return rest
        if not cut:
            raise _not_held()
        return self._held


def _is_json(text: str) -> bool:
    try:
        loads(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True


def _not_held() -> UpstreamError:
    return UpstreamError(
        "The engine did not keep to the form of a tool call.",
        fix="Try again, or choose another model: venom list",
    )
