"""A message as it is made: its blocks, and the events of each step, from the same frames.

Source: the API reference of Anthropic's messages and their streaming events.
"""

from __future__ import annotations

import json
from typing import Any

from venom_core.api.drafts import Draft
from venom_core.sdk.frames import Choice, ToolCall, Usage
from venom_core.sdk.request_ids import fresh

_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


class MessageDraft(Draft):
    """One message: it hears frames, is finished, and tells events and its record.

    Args:
        model: how the request named the model, or the name of the chosen one.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        self._id = f"msg_{fresh()}"
        self._model = model
        self._blocks: list[dict[str, Any]] = []
        self._open: int | None = None
        self._calls: dict[int, int] = {}
        self._arguments: dict[int, str] = {}
        self._reason: str | None = None
        self._tell("message_start", message=self.record())

    def finish(self) -> None:
        """End a whole message."""
        self._close()
        for place, text in self._arguments.items():
            self._blocks[place]["input"] = _object(text)
            self._tell("content_block_stop", index=place)
        record = self.record()
        told = {"stop_reason": record["stop_reason"], "stop_sequence": None}
        self._tell("message_delta", delta=told, usage=record["usage"])
        self._tell("message_stop")

    def record(self) -> dict[str, Any]:
        """Return the message object."""
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [dict(block) for block in self._blocks],
            "stop_reason": self._reason and _REASONS[self._reason],
            "stop_sequence": None,
            "usage": _usage(self._usage),
        }

    def _choice(self, choice: Choice) -> None:
        if choice.reasoning:
            self._piece("thinking", choice.reasoning)
        if choice.content:
            self._piece("text", choice.content)
        for call in choice.tool_calls:
            self._call(call)
        self._reason = choice.finish_reason or self._reason

    def _piece(self, kind: str, piece: str) -> None:
        if self._open is None or self._blocks[self._open]["type"] != kind:
            more = {"signature": ""} if kind == "thinking" else {}
            self._begin({"type": kind, kind: "", **more})
        assert self._open is not None
        self._blocks[self._open][kind] += piece
        delta = {"type": f"{kind}_delta", kind: piece}
        self._tell("content_block_delta", index=self._open, delta=delta)

    def _call(self, call: ToolCall) -> None:
        place = self._calls.get(call.index)
        if place is None:
            made = call.id or f"toolu_{fresh()}"
            place = self._calls[call.index] = len(self._blocks)
            self._begin({"type": "tool_use", "id": made, "name": call.name or "", "input": {}})
            self._open = None  # an engine may write several calls at once: all end at the end
            self._arguments[place] = ""
        if call.arguments:
            self._arguments[place] += call.arguments
            delta = {"type": "input_json_delta", "partial_json": call.arguments}
            self._tell("content_block_delta", index=place, delta=delta)

    def _begin(self, block: dict[str, Any]) -> None:
        self._close()
        self._blocks.append(block)
        self._open = len(self._blocks) - 1
        self._tell("content_block_start", index=self._open, content_block=dict(block))

    def _close(self) -> None:
        if self._open is not None:
            self._tell("content_block_stop", index=self._open)
            self._open = None

    def _tell(self, kind: str, **told: Any) -> None:
        self._news.append({"type": kind, **told})


def _object(text: str) -> Any:
    """Return a call's arguments; what is no JSON object is told as the one text it is."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"arguments": found}


def _usage(usage: Usage | None) -> dict[str, int]:
    cached = usage.cached_tokens or 0 if usage else 0
    return {
        "input_tokens": usage.prompt_tokens - cached if usage else 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.completion_tokens if usage else 0,
    }
