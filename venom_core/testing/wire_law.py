"""The law of a streamed answer, as a strict client checks it byte by byte."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

REASONS = frozenset({"stop", "length", "tool_calls", "content_filter"})


@dataclass(slots=True)
class Streamed:
    """A lawful stream, read. ``error`` is the record of the one that ended in an error."""

    text: str = ""
    reasoning: str = ""
    arguments: str = ""
    reasons: dict[int, str] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    chunks: list[dict[str, Any]] = field(default_factory=list)


def lawful(data: bytes, *, choices: int = 1) -> Streamed:
    """Read the body of a stream under ``/v1``. Raises ``AssertionError`` where it breaks the law:

    each event is one line of JSON, all with one id; it ends once, in a finish of each choice or in
    an error; nothing but the usage stands behind the finish, and ``[DONE]`` is last.
    """
    events = _events(data)
    assert events[-1] == "[DONE]", "the last event is [DONE]"
    said = Streamed()
    for event in events[:-1]:
        chunk = json.loads(event, parse_constant=_refused)
        assert said.error is None, "nothing stands behind an error"
        assert said.usage is None, "nothing stands behind the usage"
        if "error" in chunk:
            assert len(said.reasons) < choices, "no error stands behind the finish"
            assert set(chunk) == {"error"}
            assert chunk["error"]["message"]
            said.error = chunk["error"]
            continue
        said.chunks.append(chunk)
        _add(said, chunk, choices)
    assert said.error is not None or len(said.reasons) == choices, "a stream ends"
    heads = {(c["id"], c["created"], c["model"], c["object"]) for c in said.chunks}
    assert len(heads) <= 1, f"one id, one time, one model: {heads}"
    return said


def _events(data: bytes) -> list[str]:
    text = data.decode()  # strictly
    assert "\r" not in text
    assert text.endswith("\n\n")
    parts = [part for part in text[:-2].split("\n\n") if not part.startswith(": ")]
    for part in parts:
        assert part.startswith("data: "), part
        assert "\n" not in part, part
    return [part.removeprefix("data: ") for part in parts]


def _add(said: Streamed, chunk: dict[str, Any], choices: int) -> None:
    if not chunk["choices"]:
        assert len(said.reasons) == choices, "usage stands behind the finish"
        assert chunk["usage"]
        said.usage = chunk["usage"]
        return
    assert not chunk.get("usage")
    for choice in chunk["choices"]:
        index, delta = choice["index"], choice.get("delta", {})
        assert index not in said.reasons, "nothing of a choice stands behind its finish"
        text = choice["text"] if "text" in choice else delta.get("content")
        assert text is None or isinstance(text, str)
        said.text += text or ""
        said.reasoning += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls") or ():
            said.arguments += call["function"]["arguments"]
        if (reason := choice["finish_reason"]) is not None:
            assert reason in REASONS, reason
            said.reasons[index] = reason


def _refused(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")
