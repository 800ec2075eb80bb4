"""Scripted answers beyond the records, each derived from records and saying from which.

Off unless asked for (``--scenario NAME``, ``POST /__fake__/settings``): without them the fake is a
faithful replay. A scenario answers the requests it knows and leaves the others to the records.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from venom_core.testing.ollama.matching import Asked
from venom_core.testing.ollama.records import Answer, load_records

Script = Callable[[Asked, bool], Answer | None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scripted answer: the records it is made of and what was changed in them."""

    name: str
    derived_from: tuple[str, ...]
    change: str
    script: Script

    def answer(self, asked: Asked, reads_truncate: bool) -> Answer | None:
        """The answer to ``asked``, or None where this scenario has nothing to say."""
        if not isinstance(asked.body, dict):
            return None
        return self.script(asked, reads_truncate)


SCENARIOS: dict[str, Scenario] = {}


def scenario(*derived_from: str, change: str) -> Callable[[Script], Script]:
    """Register the function as a scenario of its own name."""

    def register(script: Script) -> Script:
        name = script.__name__
        SCENARIOS[name] = Scenario(name, derived_from, change, script)
        return script

    return register


def _recorded(name: str) -> Answer:
    return load_records()[name].answer


def _streams(body: dict[str, Any]) -> bool:
    return bool(body.get("stream", True))


def _in_one(answer: Answer, lines: list[dict[str, Any]]) -> Answer:
    """The lines of a streamed chat as the one object of ``stream: false``; the head of ``answer``,
    which is such an answer."""
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    for line in lines:
        part = line.get("message", {})
        message["content"] += part.get("content", "")
        if "thinking" in part:
            message["thinking"] = message.get("thinking", "") + part["thinking"]
        if "tool_calls" in part:
            message.setdefault("tool_calls", []).extend(part["tool_calls"])
    return answer.with_json({**lines[-1], "message": message})


def _chat(asked: Asked, lines: list[dict[str, Any]]) -> Answer:
    lines = [{**line, "model": asked.body["model"]} for line in lines]
    if _streams(asked.body):
        return _recorded("302_chat_stream").with_json_lines(lines)
    return _in_one(_recorded("303_chat_nostream"), lines)


def _is(asked: Asked, path: str) -> bool:
    return asked.method == "POST" and asked.path == path


@scenario("302_chat_stream", "303_chat_nostream", "309_chat_unknown_model",
          change="any messages and options; the model's name is the one asked for")  # fmt: skip
def any_chat(asked: Asked, reads_truncate: bool) -> Answer | None:
    """The same sentence to any conversation; unknown models are unknown."""
    if not _is(asked, "/api/chat") or not asked.body.get("messages"):
        return None
    missing = _missing(asked.body.get("model", ""), "309_chat_unknown_model")
    return missing or _chat(asked, _recorded("302_chat_stream").lines())


@scenario("207_generate_raw", "204_generate_stream", "220_generate_unknown_model",
          change="any prompt and options; the model's name is the one asked for")  # fmt: skip
def any_prompt(asked: Asked, reads_truncate: bool) -> Answer | None:
    """The same continuation of any prompt."""
    if not _is(asked, "/api/generate") or not asked.body.get("prompt"):
        return None
    model = asked.body.get("model", "")
    if missing := _missing(model, "220_generate_unknown_model"):
        return missing
    if _streams(asked.body):
        stream = _recorded("204_generate_stream")
        return stream.with_json_lines([{**line, "model": model} for line in stream.lines()])
    answer = _recorded("207_generate_raw")
    return answer.with_json({**answer.lines()[0], "model": model})


@scenario("454_embed_dimensions",
          change="any input: the recorded vector of 8 numbers for each of them")  # fmt: skip
def any_embed(asked: Asked, reads_truncate: bool) -> Answer | None:
    """The same vector for any text, one a text."""
    if not _is(asked, "/api/embed") or asked.body.get("model") != "gemma3-embed":
        return None
    count = len(asked.body["input"]) if isinstance(asked.body.get("input"), list) else 1
    answer = _recorded("454_embed_dimensions")
    value = answer.lines()[0]
    return answer.with_json({**value, "embeddings": value["embeddings"] * count})


@scenario("239d_generate_long_prompt", "239e_generate_long_prompt_truncate_false",
          "302_chat_stream", "303_chat_nostream",
          change="the recorded prompt of 15,000 characters asked as a chat, or raw")  # fmt: skip
def long_prompt(asked: Asked, reads_truncate: bool) -> Answer | None:
    """A prompt that does not fit: refused with ``truncate: false``, else cut to 512 tokens."""
    if asked.method != "POST" or asked.path not in ("/api/chat", "/api/generate"):
        return None
    if load_records()["239d_generate_long_prompt"].body["prompt"].strip() not in json.dumps(
        asked.body
    ):
        return None
    if reads_truncate and asked.body.get("truncate") is False:
        return _recorded("239e_generate_long_prompt_truncate_false")
    cut = _recorded("239d_generate_long_prompt").lines()[0]
    if asked.path == "/api/generate":
        if not _streams(asked.body):
            return _recorded("239d_generate_long_prompt")
        return _recorded("204_generate_stream").with_json_lines([cut])
    lines = _recorded("302_chat_stream").lines()
    counted = {"prompt_eval_count": cut["prompt_eval_count"], "eval_count": 2}
    return _chat(asked, [*lines[:2], {**lines[-1], **counted}])


@scenario("308c_chat_tools_forced_schema_stream",
          change="any messages with tools; text, then two calls in lines of their own, the second "
          "without an id (as Ollama before 0.12 sent them)")  # fmt: skip
def two_tool_calls(asked: Asked, reads_truncate: bool) -> Answer | None:
    """Text and two tool calls."""
    if not _is(asked, "/api/chat") or not asked.body.get("tools"):
        return None
    call, last = _recorded("308c_chat_tools_forced_schema_stream").lines()
    first = call["message"]["tool_calls"][0]
    second = {"function": {**first["function"], "index": 1, "arguments": {"city": "Łódź <1>"}}}
    text = {**call, "message": {"role": "assistant", "content": "Looking. "}}
    other = {**call, "message": {"role": "assistant", "content": "", "tool_calls": [second]}}
    return _chat(asked, [text, call, other, last])


@scenario("302_chat_stream",
          change="the first five lines carry `thinking` in place of `content`; no record shows a "
          "thinking model, the field is the one of Ollama's API documentation")  # fmt: skip
def thinking(asked: Asked, reads_truncate: bool) -> Answer | None:
    """A model that thinks before it answers."""
    if not _is(asked, "/api/chat") or not asked.body.get("think"):
        return None
    lines = _recorded("302_chat_stream").lines()
    for line in lines[:5]:
        said = line["message"]["content"]
        line["message"] = {"role": "assistant", "content": "", "thinking": said}
    return _chat(asked, lines)


@scenario("720_max_queue_1_cold#2", change="any chat, generate or embed is answered so")
def busy(asked: Asked, reads_truncate: bool) -> Answer | None:
    """The queue before the load is full."""
    if asked.path in ("/api/chat", "/api/generate", "/api/embed"):
        return _recorded("720_max_queue_1_cold#2")
    return None


@scenario("302_chat_stream", "703_runner_killed_midstream", "706_sigterm_midstream",
          change="the recorded error line after five lines of a chat")  # fmt: skip
def runner_killed(asked: Asked, reads_truncate: bool) -> Answer | None:
    """The runner dies while it streams a chat."""
    if not _is(asked, "/api/chat") or not asked.body.get("messages"):
        return None
    error = _recorded("703_runner_killed_midstream").lines()[-1]
    stream = _recorded("302_chat_stream")
    return stream.with_json_lines([*stream.lines()[:5], error])


@scenario("302_chat_stream", "817_zero_eval_fields_omitted",
          change="a chat of one token: eval_duration and prompt_eval_count are left out, as "
          "Ollama leaves out zeros")  # fmt: skip
def zeros_left_out(asked: Asked, reads_truncate: bool) -> Answer | None:
    """An answer without the fields that are zero."""
    if not _is(asked, "/api/chat") or not asked.body.get("messages"):
        return None
    lines = _recorded("302_chat_stream").lines()
    last = {
        key: value
        for key, value in lines[-1].items()
        if key not in ("eval_duration", "prompt_eval_count", "prompt_eval_duration")
    }
    return _chat(asked, [lines[0], {**last, "eval_count": 1}])


@scenario("620_pull_stream", "639_pull_stall",
          change="any name; a second layer as large as the first, `completed` left out while it is "
          "zero, and a count that falls back as after a retry")  # fmt: skip
def two_layer_pull(asked: Asked, reads_truncate: bool) -> Answer | None:
    """A pull that would make a naive progress bar run backwards."""
    if not _is(asked, "/api/pull"):
        return None
    stream = _recorded("620_pull_stream")
    lines = stream.lines()
    first = [line for line in lines if line.get("total", 0) > 1_000_000]
    last = first[-1]
    second = [
        {**line, "status": "pulling 1111111111aa", "digest": "sha256:" + "1" * 64} for line in first
    ]
    zero = {key: value for key, value in second[0].items() if key != "completed"}
    fallen = {**last, "completed": 1000}
    return stream.with_json_lines(
        [lines[0], zero, *first, fallen, last, zero, *second, *lines[-3:]]
    )


@scenario("620_pull_stream", change="any name")
def any_pull(asked: Asked, reads_truncate: bool) -> Answer | None:
    """Any model can be pulled."""
    return _recorded("620_pull_stream") if _is(asked, "/api/pull") else None


def _missing(model: str, record: str) -> Answer | None:
    """The recorded 404 with this name, where the recorded list has no such model."""
    listed = {item["name"] for item in _recorded("130_tags").lines()[0]["models"]}
    if model in listed or f"{model}:latest" in listed:
        return None
    answer = _recorded(record)
    return answer.with_json({"error": f"model '{model}' not found"})
