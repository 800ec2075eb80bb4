"""A response as it is made: its items, and the events of each step, from the same frames.

Source: the OpenAI API reference for responses and their streaming events.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from venom_core.api.drafts import Draft
from venom_core.api.responses.body import ENCRYPTED
from venom_core.api.responses.items import joined_name, sealed
from venom_core.sdk.frames import Choice, ToolCall, Usage
from venom_core.sdk.request_ids import fresh

#: Why an answer is not whole, by the reason that the engine gives.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
#: Fields of a request that its response tells again, and what they are where it did not say.
_ECHOED: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": None,
    "truncation": "disabled",
    "user": None,
}


class ResponseDraft(Draft):
    """One response: it hears frames, is finished or fails, and tells events and its record.

    Args:
        body: the request.
        model: how the request named the model, or the name of the chosen one.
    """

    def __init__(self, body: Mapping[str, Any], model: str) -> None:
        super().__init__()
        self.id = f"resp_{fresh()}"
        self._body = body
        self._model = model
        self._created = int(time.time())
        self._status = "in_progress"
        self._error: dict[str, str] | None = None
        self._why: str | None = None
        self._note: str | None = None
        self._items: list[dict[str, Any]] = []
        self._open: dict[str, Any] | None = None
        self._calls: dict[int, dict[str, Any]] = {}
        self._number = 0
        for name in ("response.created", "response.in_progress"):
            self._tell(name, response=self.record())

    def finish(self) -> None:
        """End a whole response."""
        self._close()
        for item in self._calls.values():
            self._call_done(item)
        reason = _INCOMPLETE.get(self._why or "")
        self._status = "incomplete" if reason else "completed"
        self._tell(f"response.{self._status}", response=self.record())

    def fail(self, code: str, message: str) -> None:
        """End a response that broke off."""
        self._status = "failed"
        self._error = {"code": code, "message": message}
        self._tell("response.failed", response=self.record())

    def record(self) -> dict[str, Any]:
        """Return the response object."""
        reason = _INCOMPLETE.get(self._why or "") if self._status == "incomplete" else None
        echoed = {
            name: default if self._body.get(name) is None else self._body[name]
            for name, default in _ECHOED.items()
        }
        whole = {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": self._status,
            "background": False,
            "error": self._error,
            "incomplete_details": None if reason is None else {"reason": reason},
            "model": self._model,
            "output": [dict(item) for item in self._items],
            "reasoning": {"effort": None, "summary": None, **(self._body.get("reasoning") or {})},
            "text": {"format": {"type": "text"}, **_known(self._body.get("text"))},
            "usage": None if self._usage is None else _usage(self._usage),
            **echoed,
        }
        return whole if self._note is None else {**whole, "finish_note": self._note}

    def _choice(self, choice: Choice) -> None:
        if choice.reasoning:
            self._text("reasoning", choice.reasoning, ())
        if choice.content:
            logprobs = (choice.logprobs or {}).get("content") or ()
            self._text("message", choice.content, logprobs)
        for call in choice.tool_calls:
            self._call(call)
        self._why = choice.finish_reason or self._why
        self._note = choice.finish_note or self._note

    def _text(self, kind: str, piece: str, logprobs: Any) -> None:
        if self._open is None or self._open["type"] != kind:
            self._close()
            self._opened(kind)
        item, part = self._open, self._open["content"][0]  # type: ignore[index]
        assert item is not None
        part["text"] += piece
        told: dict[str, Any] = {"item_id": item["id"], "content_index": 0, "delta": piece}
        if kind == "message":
            part["logprobs"].extend(logprobs)
            told["logprobs"] = list(logprobs)
        self._tell(f"response.{_NAMES[kind]}.delta", item, **told)

    def _opened(self, kind: str) -> None:
        part: dict[str, Any]
        item: dict[str, Any]
        if kind == "message":
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            item = {"id": f"msg_{fresh()}", "type": kind, "role": "assistant"}
        else:
            part = {"type": "reasoning_text", "text": ""}
            item = {"id": f"rs_{fresh()}", "type": kind, "summary": []}
        item |= {"status": "in_progress", "content": []}
        self._open = item
        self._items.append(item)
        self._tell("response.output_item.added", item, item=_copy(item))
        item["content"] = [part]
        self._tell(
            "response.content_part.added", item, item_id=item["id"], content_index=0, part={**part}
        )

    def _close(self) -> None:
        item, self._open = self._open, None
        if item is None:
            return
        part = item["content"][0]
        place = {"item_id": item["id"], "content_index": 0}
        told = {"logprobs": part["logprobs"]} if item["type"] == "message" else {}
        name = f"response.{_NAMES[item['type']]}.done"
        self._tell(name, item, **place, text=part["text"], **told)
        self._tell("response.content_part.done", item, **place, part={**part})
        item["status"] = "incomplete" if self._why in _INCOMPLETE else "completed"
        if item["type"] == "reasoning" and ENCRYPTED in (self._body.get("include") or ()):
            item["encrypted_content"] = sealed(part["text"])
        self._tell("response.output_item.done", item, item=_copy(item))

    def _call(self, call: ToolCall) -> None:
        item = self._calls.get(call.index)
        if item is None:
            self._close()
            item = self._calls[call.index] = {
                "id": f"fc_{fresh()}", "type": "function_call", "status": "in_progress",
                "call_id": call.id or f"call_{fresh()}", **self._named(call.name or ""),
                "arguments": "",
            }  # fmt: skip
            self._items.append(item)
            self._tell("response.output_item.added", item, item=_copy(item))
        if call.arguments:
            item["arguments"] += call.arguments
            self._tell(
                "response.function_call_arguments.delta", item,
                item_id=item["id"], delta=call.arguments,
            )  # fmt: skip

    def _named(self, name: str) -> dict[str, str]:
        """Return a function's name as the request has it, with its namespace where it is of one."""
        for tool in self._body.get("tools") or ():
            if tool.get("type") == "namespace":
                start = joined_name(tool["name"], "")
                own = name.removeprefix(start)
                if own != name and any(one.get("name") == own for one in tool["tools"]):
                    return {"name": own, "namespace": tool["name"]}
        return {"name": name}

    def _call_done(self, item: dict[str, Any]) -> None:
        name = "response.function_call_arguments.done"
        told = {"item_id": item["id"], "name": item["name"], "arguments": item["arguments"]}
        self._tell(name, item, **told)
        item["status"] = "completed"
        self._tell("response.output_item.done", item, item=_copy(item))

    def _tell(self, name: str, of: Mapping[str, Any] | None = None, /, **told: Any) -> None:
        number, self._number = self._number, self._number + 1
        place = {} if of is None else {"output_index": _place(self._items, of)}
        self._news.append({"type": name, "sequence_number": number, **place, **told})


def _place(items: Sequence[Mapping[str, Any]], of: Mapping[str, Any]) -> int:
    return next(place for place, item in enumerate(items) if item is of)


_NAMES = {"message": "output_text", "reasoning": "reasoning_text"}


def _copy(item: Mapping[str, Any]) -> dict[str, Any]:
    if "content" not in item:
        return dict(item)
    return {**item, "content": [dict(part) for part in item["content"]]}


def _known(text: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (text or {}).items() if value is not None}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
