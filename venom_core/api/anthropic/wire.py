"""Answers of the Messages API as Anthropic's reference has them."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from venom_core.api.errors import AnthropicError


class MessageUsage(TypedDict):
    """Token counts as the engine reports them; what it had cached is not among the input's."""

    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int


class MessageObject(TypedDict):
    """A message; ``content`` are blocks of the types text, thinking and tool_use. Which of the stop
    sequences ended it is not known: an engine tells that as an end."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[dict[str, Any]]
    stop_reason: Literal["end_turn", "max_tokens", "tool_use", "refusal"] | None
    stop_sequence: str | None
    usage: MessageUsage


class MessageStart(TypedDict):
    """The message before its first word."""

    type: Literal["message_start"]
    message: MessageObject


class BlockStart(TypedDict):
    type: Literal["content_block_start"]
    index: int
    content_block: dict[str, Any]


class BlockDelta(TypedDict):
    """A piece of a block: text_delta, thinking_delta or input_json_delta."""

    type: Literal["content_block_delta"]
    index: int
    delta: dict[str, Any]


class BlockStop(TypedDict):
    type: Literal["content_block_stop"]
    index: int


class StopDelta(TypedDict):
    stop_reason: str | None
    stop_sequence: str | None


class MessageDelta(TypedDict):
    """Why the message ends, and its token counts."""

    type: Literal["message_delta"]
    delta: StopDelta
    usage: MessageUsage


class MessageStop(TypedDict):
    type: Literal["message_stop"]


#: The events of a stream by their names.
EVENTS: dict[str, Any] = {
    "message_start": MessageStart,
    "content_block_start": BlockStart,
    "content_block_delta": BlockDelta,
    "content_block_stop": BlockStop,
    "message_delta": MessageDelta,
    "message_stop": MessageStop,
    "error": AnthropicError,
}


class CountedTokens(TypedDict):
    input_tokens: int
