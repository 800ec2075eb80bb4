"""The self-test over a toy engine that does everything, ignores one thing, or refuses one."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from venom_core.sdk.errors import Unavailable, UpstreamTimeout, VenomError
from venom_core.usecases.selftest import run
from venom_core.usecases.selftest.asking import Ask, Received
from venom_core.usecases.selftest.questions import CELLS
from venom_core.usecases.selftest.run import Row, examine

WORDS = [" four", " five", " six", " seven", " eight", " nine", " ten", " eleven", " twelve"]
ROLES = ("system", "developer", "assistant", "tool", "images")
#: Rows that are about something else than the one request field of their name.
FIELDS = {
    "logprobs of a completion": "completion logprobs", "auto": "tool auto",
    "required": "tool required", "named": "tool named", "none": "tool none",
    "one at a time": "parallel", "a prompt that is too long": "overflow",
    "vectors": "embed", "a list as its texts alone": "batch",
}  # fmt: skip


class Toy:
    """An engine of nine words. ``ignores`` and ``refuses`` name what it does not do; ``ties`` is
    how many narrowed answers take the other one of two words that are equally likely."""

    def __init__(
        self, ignores: str = "", refuses: str = "", emulates: str = "", ties: int = 0
    ) -> None:
        self.ignores, self.refuses, self.emulates = ignores, refuses, emulates
        self._ties = ties
        self._random = random.Random(1)

    async def __call__(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        asked = dict(body)
        for name in _asked_for(path, asked):
            if name == self.refuses:
                return _refused("unsupported_parameter")
            if name == self.ignores:
                asked.pop(name, None)
        if path == "/v1/embeddings":
            return self._vectors(asked)
        if len(str(asked.get("messages"))) > 100_000 and self.ignores != "overflow":
            return _refused("context_length_exceeded")
        return self._answer(path, asked)

    def _vectors(self, asked: Mapping[str, Any]) -> Received:
        texts = asked["input"]
        shared = 0.01 * len(texts) if self.ignores == "batch" else 0.0
        width = asked.get("dimensions", 4)
        rows = [
            {"index": place, "embedding": [len(text) + shared] * width}
            for place, text in enumerate(texts)
        ]
        return _whole({"data": [] if self.ignores == "embed" else rows})

    def _answer(self, path: str, asked: dict[str, Any]) -> Received:
        chat = path == "/v1/chat/completions"
        count = int(asked.get("n") or 1)
        choices = [self._choice(asked, index, chat) for index in range(count)]
        said = sum(len(choice["_words"]) for choice in choices)
        usage = {"prompt_tokens": 5, "completion_tokens": said}
        if self.ignores == "usage":
            usage["prompt_tokens"] = 6 if asked.get("stream") else 5
        headers = {"venom-emulated": self.emulates, "content-type": "application/json"}
        if asked.get("stream"):
            return _events(choices[0], usage, headers, pieces=self.ignores != "stream")
        for choice in choices:
            del choice["_words"]
        return _whole({"choices": choices, "usage": usage}, headers)

    def _choice(self, asked: dict[str, Any], index: int, chat: bool) -> dict[str, Any]:
        calls = self._calls(asked) if asked.get("tools") else []
        words, reason = ([], "tool_calls") if calls else self._words(asked)
        text = "".join(words)
        if asked.get("echo"):
            text = f"{asked['prompt']}{text}"
        if asked.get("response_format"):
            text, words = '{"answer": "yes"}', ["x"]
        if asked.get("grammar"):
            text, words = "blue", ["x"]
        if self.ignores in ("chat", "completion") and chat == (self.ignores == "chat"):
            text = ""
        body: dict[str, Any] = {"index": index, "finish_reason": reason, "_words": words or ["x"]}
        if not chat:
            told = None
            if asked.get("logprobs") and self.ignores != "completion logprobs":
                told = {"tokens": words}
            return {**body, "text": text, "logprobs": told}
        if asked.get("logprobs"):
            tops = [{"token": "a"}] * int(asked.get("top_logprobs") or 0)
            body["logprobs"] = {"content": [{"token": w, "top_logprobs": tops} for w in words]}
        return {**body, "message": {"role": "assistant", "content": text, "tool_calls": calls}}

    def _calls(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        choice, ignores = asked.get("tool_choice", "auto"), self.ignores
        if choice == "none":
            return [_call("get_weather")] if ignores == "tool none" else []
        if isinstance(choice, dict):
            other = ignores == "tool named"
            return [_call("get_weather" if other else choice["function"]["name"])]
        if choice == "required":
            if ignores == "tool required":
                return []
            several = ignores == "parallel" and asked.get("parallel_tool_calls") is False
            return [_call("get_weather")] * (2 if several else 1)
        return [_call("get_weather", "{no json" if ignores == "tool auto" else None)]

    def _words(self, asked: Mapping[str, Any]) -> tuple[list[str], str]:
        words = list(WORDS)
        narrow = asked.get("top_k") == 1 or asked.get("top_p") == 0.001 or asked.get("min_p") == 1
        if asked.get("temperature") and not narrow:
            seed = asked.get("seed", self._random.random())
            random.Random(seed).shuffle(words)
        if asked.get("temperature") and narrow and self._ties:
            self._ties -= 1
            words[-1] = " or"
        changing = ("repeat_penalty", "presence_penalty", "frequency_penalty", "logit_bias")
        if any(asked.get(name) for name in changing):
            words.reverse()
        limit = asked.get("max_tokens") or 99
        reason = "length" if limit < len(words) else "stop"
        words = words[:limit]
        for stop in asked.get("stop") or ():
            text = "".join(words)
            if stop in text:
                words, reason = [text[: text.index(stop)]], "stop"
        return words, reason


def _asked_for(path: str, asked: Mapping[str, Any]) -> list[str]:
    """Return what a request is about, as the table's rows name it."""
    names = [name for name in asked if name not in ("messages", "tools", "tool_choice")]
    if path == "/v1/embeddings":
        return [*names, "embed"]
    if path == "/v1/completions":
        return [*names, "completion", *(["completion logprobs"] if "logprobs" in asked else [])]
    names += [message["role"] for message in asked["messages"] if message["role"] != "user"]
    if any(isinstance(message["content"], list) for message in asked["messages"]):
        names.append("images")
    if "tools" in asked:
        choice = asked.get("tool_choice", "auto")
        names.append("tool named" if isinstance(choice, dict) else f"tool {choice}")
        names += ["parallel"] if "parallel_tool_calls" in asked else []
    return names


def _call(name: str, arguments: str | None = None) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments or '{"city": "Paris"}'}
    return {"id": "call_1", "type": "function", "function": function}


def _whole(body: Any, headers: Mapping[str, str] = {}) -> Received:
    return Received(200, headers, json.dumps(body).encode())


def _refused(code: str) -> Received:
    error = {"error": {"code": code, "message": "no", "type": "invalid_request_error"}}
    return Received(400, {}, json.dumps(error).encode())


def _events(
    choice: dict[str, Any], usage: Any, headers: Mapping[str, str], *, pieces: bool
) -> Received:
    words = choice["_words"] if pieces else ["".join(choice["_words"])]
    told = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in words]
    told.append({"choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    told.append({"choices": [], "usage": usage})
    lines = "".join(f"data: {json.dumps(event)}\n\n" for event in told) + "data: [DONE]\n\n"
    return Received(200, {**headers, "content-type": "text/event-stream"}, lines.encode())


async def rows(toy: Toy) -> dict[str, Row]:
    return {row.name: row async for row in examine(Ask(toy, "m"))}


#: What a toy can simply lack: everything but the answer itself.
LACKING = [cell.name for cell in CELLS if cell.name not in (*ROLES, "suffix", "best_of")]


async def test_an_engine_that_does_everything_honours_everything() -> None:
    found = await rows(Toy())
    assert [row.name for row in found.values()] == [cell.name for cell in CELLS]
    assert {row.outcome for row in found.values()} == {"honoured"}, found


async def test_two_words_that_are_equally_likely_are_no_fault() -> None:
    found = await rows(Toy(ties=2))
    assert {row.outcome for row in found.values()} == {"honoured"}, found


@pytest.mark.parametrize("name", LACKING)
async def test_what_an_engine_takes_and_does_not_do_is_broken(name: str) -> None:
    found = await rows(Toy(ignores=FIELDS.get(name, name)))
    assert found[name].outcome == "broken", found[name]
    assert found[name].note


@pytest.mark.parametrize(
    "name",
    [name for name in (*LACKING, *ROLES, "suffix", "best_of")
     if name not in ("chat", "stream", "usage", "max_tokens", "stop", "temperature",
                     "a prompt that is too long", "a list as its texts alone")],
)  # fmt: skip
async def test_what_an_engine_refuses_by_name_is_refused(name: str) -> None:
    found = await rows(Toy(refuses=FIELDS.get(name, name)))
    assert found[name].outcome == "refused", found[name]
    assert found["chat"].outcome == "honoured"


async def test_what_venom_brings_about_is_emulated() -> None:
    found = await rows(Toy(emulates="tools, n"))
    emulated = {name for name, row in found.items() if row.outcome == "emulated"}
    assert emulated == {"n", "auto", "required", "named", "one at a time"}


async def test_a_model_that_cannot_answer_at_all_says_why() -> None:
    async def gone(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Received:
        error = {"error": {"code": "engine_missing", "message": "no engine", "type": "api_error"}}
        return Received(503, {}, json.dumps(error).encode())

    with pytest.raises(Unavailable) as raised:
        await rows(gone)  # type: ignore[arg-type]
    assert raised.value.code == "engine_missing"


@pytest.mark.parametrize("code", ["quota_exceeded", "scope_missing", "model_not_found", "llm_off"])
async def test_what_is_no_fault_of_the_model_ends_it(code: str) -> None:
    status = {"quota_exceeded": 429, "scope_missing": 403, "model_not_found": 404, "llm_off": 503}
    asked = 0

    async def limited(path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Received:
        nonlocal asked
        asked += 1
        if asked < 4:
            return await Toy()(path, body, headers)
        error = {"error": {"code": code, "message": "no", "type": "api_error"}}
        return Received(status[code], {}, json.dumps(error).encode())

    with pytest.raises(VenomError) as raised:
        await rows(limited)  # type: ignore[arg-type]
    assert (raised.value.code, asked) == (code, 4)


class Stuck(Toy):
    """A toy that never answers what is about ``stuck``."""

    def __init__(self, stuck: str) -> None:
        super().__init__()
        self.stuck = stuck

    async def __call__(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        if self.stuck in _asked_for(path, body) or self.stuck == "chat":
            await asyncio.Event().wait()
        return await super().__call__(path, body, headers)


async def test_a_question_without_an_answer_is_broken_and_the_next_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run, "QUESTION_SECONDS", 0.05)
    found = await rows(Stuck("seed"))
    assert (found["seed"].outcome, found["repeat_penalty"].outcome) == ("broken", "honoured")
    assert str(found["seed"].note).startswith("no answer within")


@pytest.mark.parametrize(
    ("bound", "stuck"), [("QUESTION_SECONDS", "chat"), ("ALL_SECONDS", "seed")]
)
async def test_a_model_that_is_too_slow_says_so(
    monkeypatch: pytest.MonkeyPatch, bound: str, stuck: str
) -> None:
    monkeypatch.setattr(run, bound, 0.2)
    with pytest.raises(UpstreamTimeout) as raised:
        await rows(Stuck(stuck))
    assert raised.value.code == "selftest_timeout"


class Reading(Toy):
    """A toy whose tools are emulated, unless its own reading of calls is asked for.

    Args:
        native: its answer then.
    """

    def __init__(self, native: Received) -> None:
        super().__init__(emulates="tools")
        self.native = native

    async def __call__(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Received:
        if headers.get("Venom-Tools") == "native":
            return self.native
        return await super().__call__(path, body, headers)


def _native(*calls: dict[str, Any], text: str = "") -> Received:
    message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
    return _whole({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("native", "outcome"),
    [
        (_native(_call("get_weather")), "honoured"),
        (_native(text='{"name": "get_weather"}'), "emulated"),
        (_native(_call("get_weather", "{no json")), "emulated"),
        (_native(_call("made_up")), "emulated"),
        (Received(502, {}, b'{"error": {"code": "upstream_error", "message": "no"}}'), "emulated"),
        (_refused("unsupported_parameter"), "refused"),
    ],
    ids=["reads-them", "as-text", "no-json", "no-tool-of-ours", "fails", "refuses"],
)
async def test_auto_is_the_engines_own_where_it_reads_the_models_calls(
    native: Received, outcome: str
) -> None:
    assert (await rows(Reading(native)))["auto"].outcome == outcome
