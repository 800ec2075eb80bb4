"""Answers of the Responses API as OpenAI's reference has them.

One key is ours: ``finish_note``, a sentence where the status alone does not say why a response
ended."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict


class InputTokenDetails(TypedDict):
    cached_tokens: int


class OutputTokenDetails(TypedDict):
    """``reasoning_tokens`` are not told apart by local engines: 0."""

    reasoning_tokens: int


class ResponseUsage(TypedDict):
    input_tokens: int
    input_tokens_details: InputTokenDetails
    output_tokens: int
    output_tokens_details: OutputTokenDetails
    total_tokens: int


class ResponseFault(TypedDict):
    code: str
    message: str


class IncompleteDetails(TypedDict):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseObject(TypedDict):
    """A response; ``output`` are items of the types message, function_call and reasoning."""

    id: str
    object: Literal["response"]
    created_at: int
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    background: bool
    error: ResponseFault | None
    incomplete_details: IncompleteDetails | None
    model: str
    output: list[dict[str, Any]]
    reasoning: dict[str, Any]
    text: dict[str, Any]
    usage: ResponseUsage | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: dict[str, str]
    parallel_tool_calls: bool
    previous_response_id: str | None
    prompt_cache_key: str | None
    safety_identifier: str | None
    service_tier: str | None
    store: bool
    temperature: float | None
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_logprobs: int
    top_p: float | None
    truncation: Literal["disabled"]
    user: str | None
    finish_note: NotRequired[str]


class ResponseSnapshot(TypedDict):
    """An event with the whole response as it is then."""

    type: str
    sequence_number: int
    response: ResponseObject


class ItemEvent(TypedDict):
    """An item that was begun or is whole."""

    type: str
    sequence_number: int
    output_index: int
    item: dict[str, Any]


class PartEvent(TypedDict):
    """A part of an item that was begun or is whole."""

    type: str
    sequence_number: int
    output_index: int
    item_id: str
    content_index: int
    part: dict[str, Any]


class TextEvent(TypedDict):
    """A piece of a text as ``delta``, or all of it as ``text``."""

    type: str
    sequence_number: int
    output_index: int
    item_id: str
    content_index: int
    delta: NotRequired[str]
    text: NotRequired[str]
    logprobs: NotRequired[list[dict[str, Any]]]


class ArgumentsEvent(TypedDict):
    """A piece of a call's arguments as ``delta``, or all of them."""

    type: str
    sequence_number: int
    output_index: int
    item_id: str
    delta: NotRequired[str]
    name: NotRequired[str]
    arguments: NotRequired[str]


#: The events of a stream by their names.
EVENTS = {
    **dict.fromkeys(
        [f"response.{name}" for name in (
            "created", "in_progress", "completed", "incomplete", "failed",
        )],
        ResponseSnapshot,
    ),
    **dict.fromkeys([f"response.output_item.{end}" for end in ("added", "done")], ItemEvent),
    **dict.fromkeys([f"response.content_part.{end}" for end in ("added", "done")], PartEvent),
    **dict.fromkeys(
        [f"response.{name}.{end}"
         for name in ("output_text", "reasoning_text") for end in ("delta", "done")],
        TextEvent,
    ),
    **dict.fromkeys(
        [f"response.function_call_arguments.{end}" for end in ("delta", "done")], ArgumentsEvent
    ),
}  # fmt: skip


class InputItems(TypedDict):
    """The items that a response was asked with."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedResponse(TypedDict):
    id: str
    object: Literal["response"]
    deleted: bool
