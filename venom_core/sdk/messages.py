"""What a chat request looks like on its way to a provider.

The body is the OpenAI body itself, already validated, with the parameter policy and the model's
generation config applied. These TypedDicts describe it; there is no second message model.
Source: the OpenAI API reference for chat completions, completions and embeddings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NotRequired, TypedDict

Role = Literal["system", "developer", "user", "assistant", "tool"]


class FunctionCall(TypedDict):
    """``arguments`` is JSON text, never an object."""

    name: str
    arguments: str


class ToolCallBody(TypedDict):
    id: str
    type: Literal["function"]
    function: FunctionCall


class TextPart(TypedDict):
    type: Literal["text"]
    text: str


class ImageUrl(TypedDict):
    """``url`` is a ``data:`` URL; addresses are never fetched."""

    url: str
    detail: NotRequired[str]


class ImagePart(TypedDict):
    type: Literal["image_url"]
    image_url: ImageUrl


ContentPart = TextPart | ImagePart


class MessageBody(TypedDict):
    """One turn. ``content`` may be null on an assistant turn that only calls tools."""

    role: Role
    content: NotRequired[str | list[ContentPart] | None]
    name: NotRequired[str]
    tool_calls: NotRequired[list[ToolCallBody]]
    tool_call_id: NotRequired[str]
    reasoning_content: NotRequired[str | None]


class ChatBody(TypedDict, total=False):
    """The body of a chat request as a provider gets it.

    ``max_tokens`` is the normalised form of ``max_completion_tokens``; token counts are positive.
    """

    model: str
    messages: list[MessageBody]
    stream: bool
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    repeat_penalty: float
    presence_penalty: float
    frequency_penalty: float
    max_tokens: int
    stop: str | list[str]
    seed: int
    n: int
    logprobs: bool
    top_logprobs: int
    logit_bias: dict[str, float]
    response_format: dict[str, Any]
    tools: list[dict[str, Any]]
    tool_choice: str | dict[str, Any]
    reasoning_effort: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request to a provider.

    Args:
        model: the provider's own reference, never ``provider://``.
        body: a chat body for ``Provider.chat``, a completion body (``prompt``) for
            ``Provider.complete``.
        stream: whether frames are wanted as they come, or one ANSWER.
        request_id: goes into the upstream's logs where it has a header for it.
        stall_timeout: seconds without a byte from upstream after which it counts as gone.
    """

    model: str
    body: Mapping[str, Any]
    stream: bool
    request_id: str
    stall_timeout: float = 120.0


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """``inputs`` are texts; ``dimensions`` only where the provider declares the parameter."""

    model: str
    inputs: tuple[str, ...]
    request_id: str
    dimensions: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """One vector for each input, in its order; ``prompt_tokens`` is the total over all inputs."""

    vectors: tuple[tuple[float, ...], ...]
    prompt_tokens: int
