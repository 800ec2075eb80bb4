"""A model's own chat template, in Jinja as transformers reads it, in a sandbox.

A template is a stranger's program: it reads the messages and makes a text, and reaches nothing
else. Rendered in the engine's process only, whose environment has Jinja.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from venom_core.sdk.bounded_json import loads
from venom_core.sdk.errors import InvalidRequest, VenomError
from venom_core.sdk.model_files import there
from venom_core.sdk.model_json import json_of
from venom_core.sdk.model_refusals import damaged, shown
from venom_core.sdk.served_engine import Messages

if TYPE_CHECKING:
    from venom_core.sdk.provider import ModelCapability

LONGEST_PROMPT = 16 * 1024 * 1024
MOST_TEMPLATE_BYTES = 1024 * 1024
_SPECIAL = ("bos_token", "eos_token", "pad_token", "unk_token")


def template_text(folder: Path) -> str | None:
    """Return the text of a model's chat template; None where it brings none. Raises the refusal
    where it is no text, or one beyond every bound."""
    file = there(folder, "chat_template.jinja")
    if file is not None:
        try:
            return file.read(MOST_TEMPLATE_BYTES).decode()
        except UnicodeDecodeError as error:
            raise damaged(f"{file.name} is no text.") from error
    found = json_of(folder, "tokenizer_config.json").get("chat_template")
    if isinstance(found, list):  # several by name: tools, retrieval, and the one for talking
        named = [one for one in found if isinstance(one, dict) and one.get("name") == "default"]
        found = named[0].get("template") if named else None
    return found if isinstance(found, str) else None


def template_capabilities(text: str | None) -> frozenset[ModelCapability]:
    """Return what a language model with this template can do; None is one without."""
    if text is None:
        return frozenset({"completion"})
    talks: frozenset[ModelCapability] = frozenset({"chat", "completion"})
    return talks | {"tools"} if "tools" in text else talks


class ChatTemplate:
    """Makes prompts of messages.

    Args:
        text: the template.
        special: ``bos_token`` and the like, which it may write.

    Raises ``model_damaged`` where the text is no template.
    """

    def __init__(self, text: str, special: Mapping[str, str]) -> None:
        from jinja2 import TemplateError
        from jinja2.ext import loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        self._failures = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError)
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals |= {"raise_exception": _refuse, "strftime_now": _now}
        try:
            self._template = environment.from_string(text)
        except (*self._failures, RecursionError) as error:
            raise damaged("The model's chat template is none.") from error
        self._special = dict(special)

    @classmethod
    def of(cls, folder: Path, text: str) -> ChatTemplate:
        """Return the template of a model's folder, with the special tokens that its files name."""
        config = json_of(folder, "tokenizer_config.json") | json_of(
            folder, "special_tokens_map.json"
        )
        named = {}
        for name in _SPECIAL:
            value = config.get(name)
            value = value.get("content") if isinstance(value, dict) else value
            named[name] = value if isinstance(value, str) else ""
        return cls(text, named)

    def render(self, messages: Messages, tools: Sequence[Any] | None = None) -> str:
        """Return the prompt. Where the last message is the assistant's, it ends with its text.

        Args:
            tools: of the request, for the template to show.

        Raises ``InvalidRequest`` where the template refuses the messages.
        """
        goes_on = messages[-1].get("role") == "assistant"
        turns = [_with_objects(message) for message in messages]
        fields = {**self._special, "messages": turns, "tools": tools or None}
        try:
            pieces = self._template.generate(add_generation_prompt=not goes_on, **fields)
            prompt = _joined(pieces)
        except VenomError:
            raise
        except (*self._failures, RecursionError, AttributeError) as error:
            raise InvalidRequest(
                f"The model's chat template does not take these messages: {shown(str(error))}",
                param="messages",
                fix="Send roles in the order that the model knows, or use /v1/completions.",
            ) from error
        return _until_last(prompt, str(messages[-1]["content"])) if goes_on else prompt


def _with_objects(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message with the arguments of its calls as objects, which templates write as JSON;
    the wire has them as text."""
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return message
    return {**message, "tool_calls": [_with_object(call) for call in calls]}


def _with_object(call: Any) -> Any:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("arguments"), str):
        return call
    try:
        arguments = loads(function["arguments"].encode("utf-8", "surrogatepass"))
    except ValueError:
        return call
    return {**call, "function": {**function, "arguments": arguments}}


def _joined(pieces: Any) -> str:
    parts, length = [], 0
    for piece in pieces:
        parts.append(piece)
        length += len(piece)
        if length > LONGEST_PROMPT:
            raise damaged("The model's chat template writes without end.")
    return "".join(parts)


def _until_last(prompt: str, content: str) -> str:
    """Return the prompt up to the end of what the assistant said, for it to go on from there."""
    content = content.strip()
    place = prompt.rfind(content) if content else -1
    if content and place < 0:
        raise InvalidRequest(
            "The model's chat template does not let an answer be gone on with.",
            param="messages",
            fix="End the messages with one of the user's.",
        )
    return prompt[: place + len(content)] if content else prompt


def _to_json(value: Any, indent: int | None = None, **_: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)


def _refuse(words: object) -> NoReturn:
    raise ValueError(str(words))
