"""Answers under ``/v1`` as OpenAI's API reference has them. An engine that speaks this wire itself
may add keys of its own, which are passed on.

One key is ours: ``finish_note``, a sentence where ``finish_reason`` alone does not say why the
answer ended."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from venom_core.sdk.messages import ToolCallBody
from venom_core.sdk.records import TokenUsage


class ChatMessage(TypedDict):
    """``content`` is null where the model only calls tools."""

    role: str
    content: str | None
    reasoning_content: NotRequired[str]
    tool_calls: NotRequired[list[ToolCallBody]]


class ChatChoice(TypedDict):
    index: int
    message: ChatMessage
    logprobs: NotRequired[dict[str, Any] | None]
    finish_reason: str | None
    finish_note: NotRequired[str]


class ChatCompletion(TypedDict):
    """The whole answer to a chat."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: NotRequired[TokenUsage]


class FunctionFragment(TypedDict, total=False):
    name: str
    arguments: str


class ToolCallFragment(TypedDict):
    """A piece of a tool call; pieces of one ``index`` belong together."""

    index: int
    id: NotRequired[str]
    type: NotRequired[Literal["function"]]
    function: FunctionFragment


class ChatDelta(TypedDict, total=False):
    role: str
    content: str | None
    reasoning_content: str
    tool_calls: list[ToolCallFragment]


class ChatChunkChoice(TypedDict):
    index: int
    delta: ChatDelta
    logprobs: NotRequired[dict[str, Any] | None]
    finish_reason: str | None
    finish_note: NotRequired[str]


class ChatCompletionChunk(TypedDict):
    """A piece of a streamed chat; ``usage`` comes with the last one where it was asked for."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[ChatChunkChoice]
    usage: NotRequired[TokenUsage | None]


class TextChoice(TypedDict):
    index: int
    text: str
    logprobs: NotRequired[dict[str, Any] | None]
    finish_reason: str | None
    finish_note: NotRequired[str]


class TextCompletion(TypedDict):
    """The answer to a text completion, whole or a piece of it."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[TextChoice]
    usage: NotRequired[TokenUsage | None]


class EmbeddingItem(TypedDict):
    """``embedding`` is base64 of little-endian float32 where that was asked for."""

    object: Literal["embedding"]
    index: int
    embedding: list[float] | str


class EmbeddingUsage(TypedDict):
    prompt_tokens: int
    total_tokens: int


class EmbeddingList(TypedDict):
    """One vector for each input, in its order."""

    object: Literal["list"]
    model: str
    data: list[EmbeddingItem]
    usage: EmbeddingUsage


class RankedDocument(TypedDict):
    text: str


class RankedItem(TypedDict):
    """``index`` is the document's place in the request; ``document`` where that was asked for."""

    index: int
    relevance_score: float
    document: NotRequired[RankedDocument]


class Ranking(TypedDict):
    """The documents by their relevance, the most relevant first."""

    object: Literal["list"]
    model: str
    results: list[RankedItem]
    usage: EmbeddingUsage


class ServedModel(TypedDict):
    """``owned_by`` is the provider; ``locality`` and ``runs_at`` say where prompts go."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    locality: Literal["local", "remote"]
    runs_at: str | None


class ServedModelList(TypedDict):
    object: Literal["list"]
    data: list[ServedModel]
