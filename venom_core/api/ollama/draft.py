"""An answer in Ollama's lines, one JSON object each, from the same frames as every wire's."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any, Literal

from venom_core.api.drafts import Draft
from venom_core.sdk.frames import Choice, ToolCall, Usage

#: Why an answer ended; a call of a tool is a stop there.
_REASONS = {"stop": "stop", "length": "length", "tool_calls": "stop", "content_filter": "stop"}
Kind = Literal["chat", "generate"]


def now() -> str:
    """Return the time as Ollama has it."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class OllamaDraft(Draft):
    """One answer: it hears frames, is finished, and tells lines and its record.

    Args:
        kind: whose lines they are.
        model: how the request named the model, or the name of the chosen one.
    """

    def __init__(self, kind: Kind, model: str) -> None:
        super().__init__()
        self._kind = kind
        self._model = model
        self._began = time.monotonic_ns()
        self._first: int | None = None
        self._content = ""
        self._thinking = ""
        self._calls: dict[int, ToolCall] = {}
        self._logprobs: list[Any] = []
        self._reason = "stop"

    def finish(self) -> None:
        """End a whole answer: its calls in a line of their own, then what it took."""
        if self._calls:
            self._news.append(self._line(calls=self._made_calls()))
        self._news.append({**self._line(), **self._last()})

    def record(self) -> dict[str, Any]:
        """Return the whole answer as one object."""
        line = self._line(self._content, self._thinking, self._made_calls(), self._logprobs)
        return {**line, **self._last()}

    def _choice(self, choice: Choice) -> None:
        if choice.content or choice.reasoning or choice.tool_calls:
            self._first = self._first or time.monotonic_ns()
        logprobs = (choice.logprobs or {}).get("content") or []
        if choice.content or choice.reasoning:
            self._content += choice.content or ""
            self._thinking += choice.reasoning or ""
            self._logprobs += logprobs
            self._news.append(
                self._line(choice.content or "", choice.reasoning or "", logprobs=logprobs)
            )
        for call in choice.tool_calls:
            known = self._calls.get(call.index, ToolCall(call.index))
            self._calls[call.index] = ToolCall(
                call.index, call.id or known.id, call.name or known.name,
                known.arguments + call.arguments,
            )  # fmt: skip
        if choice.finish_reason:
            self._reason = _REASONS[choice.finish_reason]

    def _line(
        self,
        content: str = "",
        thinking: str = "",
        calls: list[dict[str, Any]] | None = None,
        logprobs: list[Any] | None = None,
    ) -> dict[str, Any]:
        line: dict[str, Any] = {"model": self._model, "created_at": now()}
        more: dict[str, Any] = {"thinking": thinking} if thinking else {}
        if self._kind == "chat":
            if calls:
                more["tool_calls"] = calls
            line["message"] = {"role": "assistant", "content": content, **more}
        else:
            line |= {"response": content, **more}
        if logprobs:
            line["logprobs"] = logprobs
        return {**line, "done": False}

    def _last(self) -> dict[str, Any]:
        ended = time.monotonic_ns()
        first = self._first or ended
        usage = self._usage or Usage(0, 0)
        return {
            "done": True,
            "done_reason": self._reason,
            "total_duration": ended - self._began,
            "load_duration": 0,
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": first - self._began,
            "eval_count": usage.completion_tokens,
            "eval_duration": max(ended - first, 1),
        }

    def _made_calls(self) -> list[dict[str, Any]]:
        return [
            {
                "id": call.id or f"call_{place}",
                "function": {
                    "index": place, "name": call.name or "", "arguments": _object(call.arguments),
                },
            }
            for place, call in sorted(self._calls.items())
        ]  # fmt: skip


def _object(text: str) -> Any:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        found = text
    return found if isinstance(found, dict) else {"arguments": found}
