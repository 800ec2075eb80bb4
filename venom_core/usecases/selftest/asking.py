"""Asking a model over OpenAI's wire, and what came back in one form."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from venom_core.sdk.errors import VenomError, restored
from venom_core.sdk.sse import DONE, EventSplitter

ASKED: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("asked.toml").read_text(encoding="utf-8")
)
TOKENS = 32


@dataclass(frozen=True, slots=True)
class Received:
    """The answer to one request. ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes


#: Sends a body to a path of ``/v1``, with headers, and gives the whole answer.
Wire = Callable[[str, Mapping[str, Any], Mapping[str, str]], Awaitable[Received]]


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, however it came.

    Args:
        texts: of each choice, by its index.
        calls: name and arguments of each tool call of the first choice.
        reasons: why each choice ended.
        events: how many pieces it came in, 0 where it came whole.
        emulated: the parameters that the provider brought about by other means.
    """

    texts: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    reasons: tuple[str | None, ...]
    usage: Mapping[str, Any]
    logprobs: Mapping[str, Any] | None
    events: int
    emulated: frozenset[str]

    @property
    def text(self) -> str:
        """Return the first choice's text."""
        return self.texts[0]

    @property
    def tokens(self) -> int:
        """Return the tokens of the answer, as the engine counts them."""
        return int(self.usage.get("completion_tokens") or 0)


class Ask:
    """One model behind a wire. Each method raises the refusal that it gets."""

    def __init__(self, wire: Wire, model: str) -> None:
        self._wire = wire
        self.model = model

    async def chat(self, *, tools_read_by: str | None = None, **body: Any) -> Said:
        """Ask the prompt, or other ``messages``, at temperature 0.

        Args:
            tools_read_by: as of the header ``Venom-Tools``.
        """
        asked: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": ASKED["prompt"]}],
            "temperature": 0,
            "max_tokens": TOKENS,
            "stop": [ASKED["never"]],
            **body,
        }
        if asked.get("stream"):
            asked["stream_options"] = {"include_usage": True}
        headers = {} if tools_read_by is None else {"Venom-Tools": tools_read_by}
        return _said(await self._post("/v1/chat/completions", asked, headers))

    async def complete(self, **body: Any) -> Said:
        """Continue the prompt, or another one, at temperature 0."""
        asked = {
            "model": self.model,
            "prompt": ASKED["prompt"],
            "temperature": 0,
            "max_tokens": TOKENS,
            **body,
        }
        return _said(await self._post("/v1/completions", asked))

    async def embed(self, inputs: Sequence[str], **body: Any) -> list[list[float]]:
        """Return a vector for each text."""
        asked = {"model": self.model, "input": list(inputs), **body}
        answer = json.loads((await self._post("/v1/embeddings", asked)).body)
        rows = sorted(answer["data"], key=lambda row: row["index"])
        return [row["embedding"] for row in rows]

    async def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str] = {}
    ) -> Received:
        answer = await self._wire(path, body, headers)
        if answer.status != 200:
            raise _refusal(json.loads(answer.body)["error"], answer.status)
        return answer


def _refusal(error: Mapping[str, Any], status: int) -> VenomError:
    return restored({**error, "status": status})


def _said(answer: Received) -> Said:
    emulated = frozenset(filter(None, answer.headers.get("venom-emulated", "").split(", ")))
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):
        body = json.loads(answer.body)
        return _joined([body], "message", 0, emulated)
    splitter = EventSplitter()
    events = [json.loads(data) for data in splitter.feed(answer.body) if data.strip() != DONE]
    for event in events:
        if "error" in event:
            raise _refusal(event["error"], 502)
    return _joined(events, "delta", len(events), emulated)


def _joined(
    events: Sequence[Mapping[str, Any]], place: str, count: int, emulated: frozenset[str]
) -> Said:
    texts: dict[int, str] = {}
    reasons: dict[int, str | None] = {}
    calls: dict[int, list[str]] = {}
    usage: Mapping[str, Any] = {}
    logprobs: Mapping[str, Any] | None = None
    for event in events:
        usage = event.get("usage") or usage
        for choice in event.get("choices") or ():
            index, part = choice["index"], choice.get(place) or {}
            said = choice["text"] if "text" in choice else part.get("content")
            texts[index] = texts.get(index, "") + (said or "")
            reasons[index] = choice.get("finish_reason") or reasons.get(index)
            logprobs = choice.get("logprobs") or logprobs
            for number, call in enumerate(part.get("tool_calls") or () if index == 0 else ()):
                known = calls.setdefault(call.get("index", number), ["", ""])
                known[0] += call["function"].get("name") or ""
                known[1] += call["function"].get("arguments") or ""
    order = sorted(texts)
    return Said(
        tuple(texts[index] for index in order),
        tuple((name, arguments) for _, (name, arguments) in sorted(calls.items())),
        tuple(reasons[index] for index in order),
        usage,
        logprobs,
        count,
        emulated,
    )
