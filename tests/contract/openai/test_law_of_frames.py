"""The law of frames, kept by the core: what a planted plugin does to it, and what a client, the
page and the plugin's record get. Each case is a row."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.contract.openai.asking import client, engine
from tests.stage import stage
from venom_core.sdk import law
from venom_core.sdk.frames import (
    Answer,
    Choice,
    Chunk,
    Frame,
    FrameKind,
    ToolCall,
    Usage,
    delta,
    finish,
)
from venom_core.sdk.law import RULES, Rule
from venom_core.sdk.messages import ChatRequest
from venom_core.testing import scripted
from venom_core.testing.deadlines import within
from venom_core.testing.scripted import Script, ScriptedProvider
from venom_core.testing.wire_law import lawful

__all__ = ["client", "engine", "stage"]  # used by being here

BODY = {"model": "scripted://m", "messages": [{"role": "user", "content": "hi"}]}
WHOLE = Answer((Choice(role="assistant", content="ab", finish_reason="stop"),), Usage(3, 2))
USAGE = Chunk(usage=Usage(3, 2))
RAW = b'{"choices":[{"message":{"role":"assistant","content":"ab"},"finish_reason":"stop"}]}'


@dataclass(frozen=True)
class Bare:
    """An event that is yielded as it is."""

    event: Chunk


@dataclass(frozen=True)
class Case:
    """``items`` are yielded, an exception is raised; ``rule`` stands in the record then. ``broken``
    says that the answer is refused; else its text is ``ab``. ``streamed`` and ``whole`` are the
    modes that are asked for."""

    items: list[Any]
    rule: Rule | None = None
    broken: bool = True
    streamed: bool = True
    whole: bool = True


CASES: dict[str, Case] = {
    # outside the law
    "a str": Case([delta("a"), "b", finish("stop")], law.FRAMES),
    "None": Case([delta("a"), None, finish("stop")], law.FRAMES),
    "a dict": Case([delta("a"), {"content": "b"}, finish("stop")], law.FRAMES),
    "bytes": Case([b"data: {}"], law.FRAMES),
    "a frame of nothing": Case([Frame(FrameKind.DELTA, object(), None)], law.FRAMES),  # type: ignore[arg-type]
    "a text that is none": Case([delta(5)], law.FRAMES),  # type: ignore[arg-type]
    "an index that is none": Case([delta("a", index="0")], law.FRAMES),  # type: ignore[arg-type]
    "a reason of its own": Case([delta("a"), finish("done")], law.ONE_FINISH),  # type: ignore[arg-type]
    "a call that is none": Case([delta("a", tool_calls=("f",))], law.FRAMES),  # type: ignore[arg-type]
    "usage that is none": Case([delta("a"), Chunk(usage={"prompt_tokens": 1})], law.FRAMES),  # type: ignore[arg-type]
    "the class": Case([Frame], law.FRAMES),
    "a generator": Case([(one for one in ())], law.FRAMES),
    "an event that is none": Case([Frame(FrameKind.DELTA, {"choices": []}, None)], law.FRAMES),  # type: ignore[arg-type]
    "an event without a frame": Case([Bare(delta("a")), finish("stop")], law.FRAMES),
    "choices that are none": Case([Chunk("ab")], law.FRAMES),  # type: ignore[arg-type]
    "choices as a generator": Case([Frame(FrameKind.DELTA, Chunk(c for c in ()), None)],  # type: ignore[arg-type]
                                   law.FRAMES),
    "reasoning that is none": Case([delta(reasoning=b"a")], law.FRAMES),  # type: ignore[arg-type]
    "arguments as a dict": Case([delta(tool_calls=(ToolCall(0, "c", "f", {"a": 1}),))], law.FRAMES),  # type: ignore[arg-type]
    "logprobs as a list": Case([Chunk((Choice(content="a", logprobs=[1]),))], law.FRAMES),  # type: ignore[arg-type]
    "a reason that is a number": Case([delta("a"), finish(5)], law.FRAMES),  # type: ignore[arg-type]
    "an index that is true": Case([delta("a", index=True)], law.FRAMES),
    "bytes that are no JSON": Case([Frame.raw(FrameKind.DELTA, b"data: a")], law.FRAMES),
    "JSON that is no object": Case([Frame.raw(FrameKind.DELTA, b"[1]")], law.FRAMES),
    "JSON without an end": Case([Frame.raw(FrameKind.DELTA, b"[" * 100_000)], law.FRAMES),
    "bytes that are a text": Case([Frame.raw(FrameKind.DELTA, "{}")], law.FRAMES),  # type: ignore[arg-type]
    "more after the finish": Case([delta("a"), finish("stop"), delta("b")],
                                  law.NOTHING_AFTER_FINISH),
    "more after the usage": Case([delta("a"), finish("stop"), USAGE, delta("b")],
                                 law.NOTHING_AFTER_FINISH),
    "two finishes": Case([delta("a"), finish("stop"), finish("length")], law.ONE_FINISH),
    "no finish": Case([delta("a"), delta("b")], law.FINISH_EACH_CHOICE),
    "nothing": Case([], law.FINISH_EACH_CHOICE),
    "nothing said": Case([Chunk(), Chunk()], law.FINISH_EACH_CHOICE),
    "usage alone": Case([USAGE], law.FINISH_EACH_CHOICE),
    "an answer without a finish": Case([Answer((Choice(role="assistant", content="ab"),))],
                                       law.FINISH_EACH_CHOICE),
    "an answer without choices": Case([Answer(())], law.FINISH_EACH_CHOICE),
    "an unknown choice": Case([delta("a"), delta("b", index=1), finish("stop")],
                              law.KNOWN_CHOICES),
    "a choice below none": Case([delta("a", index=-1)], law.KNOWN_CHOICES),
    "an unknown finish": Case([delta("a"), finish("stop", index=7)], law.KNOWN_CHOICES),
    "two answers": Case([WHOLE, WHOLE], law.ONE_ANSWER),
    "an answer behind deltas": Case([delta("a"), WHOLE], law.ONE_ANSWER),
    "deltas behind an answer": Case([WHOLE, delta("b")], law.ONE_ANSWER),
    "raises": Case([delta("a"), ValueError("secret")], law.ONLY_REFUSALS),
    "interrupts": Case([delta("a"), KeyboardInterrupt("secret")], law.ONLY_REFUSALS),
    "exits": Case([delta("a"), SystemExit("secret")], law.ONLY_REFUSALS),
    "closes": Case([delta("a"), GeneratorExit("secret")], law.ONLY_REFUSALS),
    "stops": Case([delta("a"), StopAsyncIteration("secret")], law.ONLY_REFUSALS),
    "odd": Case([delta("a"), BaseException("secret")], law.ONLY_REFUSALS),
    # mended
    "a kind that it is not": Case([delta("a"), Frame(FrameKind.FINISH, delta("b"), None),
                                   finish("stop")], law.FRAMES, broken=False, whole=False),
    "a kind that is a text": Case([delta("a"), Frame("delta", delta("b"), None), finish("stop")],  # type: ignore[arg-type]
                                  law.FRAMES, broken=False, whole=False),
    "a finish called a delta": Case([delta("ab"), Frame(FrameKind.DELTA, finish("stop"), None)],
                                    law.FRAMES, broken=False, whole=False),
    "usage below nothing": Case([delta("ab"), finish("stop"), Chunk(usage=Usage(-1, 2))],
                                law.POSSIBLE_NUMBERS, broken=False, whole=False),
    "usage of texts": Case([delta("ab"), finish("stop"), Chunk(usage=Usage("1", "2"))],  # type: ignore[arg-type]
                           law.POSSIBLE_NUMBERS, broken=False, whole=False),
    "usage that is NaN": Case([delta("ab"), finish("stop"), Chunk(usage=Usage(math.nan, 2))],  # type: ignore[arg-type]
                              law.POSSIBLE_NUMBERS, broken=False, whole=False),
    "usage twice": Case([delta("a"), Chunk(usage=Usage(9, 9)), delta("b"), finish("stop"), USAGE],
                        law.ONE_USAGE, broken=False, whole=False),
    "an answer in a stream": Case([WHOLE], law.SHAPE_ASKED_FOR, broken=False, whole=False),
    "a raw answer in a stream": Case([Frame.raw(FrameKind.ANSWER, RAW)], law.SHAPE_ASKED_FOR,
                                     broken=False, whole=False),
    "pieces for an answer": Case([delta("a", role="assistant"), delta("b"), finish("stop"), USAGE],
                                 law.SHAPE_ASKED_FOR, broken=False, streamed=False),
    # by the law
    "a stream": Case([delta("a"), delta("b"), finish("stop"), USAGE], broken=False, whole=False),
    "an answer": Case([WHOLE], broken=False, streamed=False),
    "a fault behind the end": Case([delta("a"), delta("b"), finish("stop"), OSError("late")],
                                   broken=False, whole=False),
    "text in the finish": Case([delta("a"), Chunk((Choice(content="b", finish_reason="stop"),))],
                               broken=False, whole=False),
    "a fault behind an answer": Case([WHOLE, OSError("late")], broken=False, streamed=False),
}  # fmt: skip
MODES = [
    pytest.param(case, stream, id=f"{name}, {'streamed' if stream else 'whole'}")
    for name, case in CASES.items()
    for stream in (True, False)
    if (case.streamed if stream else case.whole)
]


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[list[Any]], None]]:
    """Let the provider yield these items."""

    def grow(items: list[Any]) -> None:
        async def play(_self: object, _request: ChatRequest) -> AsyncGenerator[Any, None]:
            for item in items:
                if isinstance(item, BaseException):
                    raise item
                frame = Frame(FrameKind.DELTA, item, None) if _is_bad(item) else None
                if frame is None and isinstance(item, Chunk | Answer):
                    frame = Frame.of(item)
                yield frame or (item.event if isinstance(item, Bare) else item)

        scripted.SCRIPTS["m"] = Script([])
        monkeypatch.setattr(ScriptedProvider, "_play", play)

    return grow  # type: ignore[return-value]


def _is_bad(item: object) -> bool:
    """Return whether no frame can be made of an event by its contents."""
    return isinstance(item, Chunk) and not isinstance(item.choices, tuple)


async def broken_rules(client: httpx.AsyncClient) -> dict[str, int]:
    """Return the rules in the plugin's record, with their counts."""
    plugins = (await client.get("/api/v1/plugins")).json()["plugins"]
    found: dict[str, int] = {}
    for plugin in plugins:
        for provider in plugin["providers"]:
            for one in provider["breaches"]:
                assert one["docs"] == RULES[one["rule"]].docs
                assert one["message"] == RULES[one["rule"]].breach
                found[one["rule"]] = found.get(one["rule"], 0) + one["count"]
    return found


def refused(error: dict[str, Any], rule: Rule | None) -> None:
    """Assert that an error names the provider and the rule, and nothing of the plugin's own."""
    incomplete = rule is law.FINISH_EACH_CHOICE
    assert error["code"] == ("upstream_incomplete" if incomplete else "upstream_error")
    message = error.get("message") or error["detail"]
    assert "Scripted" in message
    assert "secret" not in str(error)
    if rule is not law.ONLY_REFUSALS:
        assert rule is not None
        assert rule.name in message
        assert "choose another model" in str(error)


@pytest.mark.parametrize(("case", "stream"), MODES)
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions"])
async def test_the_wire(
    client: httpx.AsyncClient, plant: Any, path: str, case: Case, stream: bool
) -> None:
    plant(case.items)
    body: dict[str, Any] = {**BODY, "stream": stream, "stream_options": {"include_usage": True}}
    if path == "/v1/completions":
        body = {**body, "prompt": "hi"}
        del body["messages"]
    response = await within(client.post(path, json=body))
    if case.broken and response.status_code != 200:
        assert response.status_code == 502
        refused(response.json()["error"], case.rule)
    elif stream:
        said = lawful(response.content)
        if case.broken:
            assert said.error is not None
            refused(said.error, case.rule)
            assert said.reasons == {}, "who has a finish can no longer be told"
        else:
            assert (said.text, said.reasons, said.error) == ("ab", {0: "stop"}, None)
            if case.rule is law.ONE_USAGE:
                assert said.usage is not None
                assert said.usage["total_tokens"] == 5
    else:
        assert (response.status_code, case.broken) == (200, False), response.text
        (choice,) = response.json()["choices"]
        text = choice["text"] if path == "/v1/completions" else choice["message"]["content"]
        assert (text, choice["finish_reason"]) == ("ab", "stop")
    expected = {case.rule.name: 1} if case.rule else {}
    assert await broken_rules(client) == expected


@pytest.mark.parametrize("case", [c for c in CASES.values() if c.streamed],
                         ids=[n for n, c in CASES.items() if c.streamed])  # fmt: skip
async def test_the_page(client: httpx.AsyncClient, plant: Any, case: Case) -> None:
    plant(case.items)
    body = {"content": "hi", "model": "scripted://m"}
    response = await within(client.post("/api/v1/llm/simple/stream", json=body))
    names = [line[7:] for line in response.text.split("\n") if line.startswith("event: ")]
    if response.status_code == 200:
        assert names[-1] == ("error" if case.broken else "done")
        assert names.count("error") == case.broken
        assert "secret" not in response.text
    else:
        assert case.broken
        refused(response.json(), case.rule)


async def test_the_pieces_of_every_part_are_added_up(client: httpx.AsyncClient, plant: Any) -> None:
    def odds(token: str) -> dict[str, Any]:
        return {"content": [{"token": token, "logprob": -0.5}], "refusal": None}

    plant([
        Chunk((Choice(role="assistant", content="a", logprobs=odds("a")),
               Choice(index=1, role="assistant", content="x"))),
        delta(reasoning="h"), delta(reasoning="m", index=1), delta(reasoning="m"),
        Chunk((Choice(index=1, content="y"), Choice(content="b", logprobs=odds("b")))),
        delta(tool_calls=(ToolCall(1, "c1", "g", "{"),)),
        delta(tool_calls=(ToolCall(0, "c0", "f", '{"a"'), ToolCall(1, None, None, "}"))),
        delta(tool_calls=(ToolCall(0, None, None, ": 1}"),)),
        finish("length", index=1), USAGE,
        Chunk((Choice(finish_reason="tool_calls", finish_note="It calls."),)),
    ])  # fmt: skip
    response = await client.post("/v1/chat/completions", json={**BODY, "n": 2})
    assert response.status_code == 200, response.text
    body = response.json()
    first, second = body["choices"]
    assert (body["object"], body["usage"]["total_tokens"]) == ("chat.completion", 5)
    assert first["message"] == {
        "role": "assistant", "content": "ab", "reasoning_content": "hm",
        "tool_calls": [
            {"id": "c0", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"id": "c1", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ],
    }  # fmt: skip
    assert [one["token"] for one in first["logprobs"]["content"]] == ["a", "b"]
    assert (first["finish_reason"], first["finish_note"]) == ("tool_calls", "It calls.")
    assert (second["message"]["content"], second["finish_reason"]) == ("xy", "length")


async def test_logprobs_of_completions_are_added_up(client: httpx.AsyncClient, plant: Any) -> None:
    def odds(token: str, at: int) -> dict[str, Any]:
        return {"tokens": [token], "token_logprobs": [-1.0], "text_offset": [at]}

    plant([Chunk((Choice(content="a", logprobs=odds("a", 0)),)),
           Chunk((Choice(content="b", logprobs=odds("b", 1)),)), finish("stop")])  # fmt: skip
    body = {"model": "scripted://m", "prompt": "hi"}
    (choice,) = (await client.post("/v1/completions", json=body)).json()["choices"]
    assert choice["logprobs"] == {
        "tokens": ["a", "b"], "token_logprobs": [-1.0, -1.0], "text_offset": [0, 1],
    }  # fmt: skip


async def test_the_calls_of_an_answer_are_counted_in_a_stream(
    client: httpx.AsyncClient, plant: Any
) -> None:
    calls = (ToolCall(id="c", name="f", arguments="{}"), ToolCall(id="d", name="g", arguments="[]"))
    choices = tuple(
        Choice(
            index=n,
            role=None,
            content=None,
            reasoning=None,
            tool_calls=calls,
            finish_reason="tool_calls",
        )
        for n in (0, 1)
    )
    plant([Answer(choices, Usage(1, 1))])
    response = await client.post("/v1/chat/completions", json={**BODY, "stream": True, "n": 2})
    said = lawful(response.content, choices=2)
    assert said.reasons == {0: "tool_calls", 1: "tool_calls"}
    for one in said.chunks[0]["choices"]:
        assert one["delta"]["role"] == "assistant"
        assert [call["index"] for call in one["delta"]["tool_calls"]] == [0, 1]


async def test_several_prompts_keep_the_law_each(client: httpx.AsyncClient, plant: Any) -> None:
    """A choice too many of the first would be taken for the second's."""
    plant([delta("a"), finish("stop"), delta("b", index=1), finish("stop", index=1)])
    for stream in (True, False):
        body = {"model": "scripted://m", "prompt": ["x", "y"], "stream": stream}
        response = await client.post("/v1/completions", json=body)
        assert "known_choices" in response.text
    plant([delta("a"), finish("stop")])
    body = {"model": "scripted://m", "prompt": ["x", "y"]}
    answered = (await client.post("/v1/completions", json=body)).json()
    assert [choice["text"] for choice in answered["choices"]] == ["a", "a"]


async def test_a_finish_is_held_until_nothing_follows(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no longer than a moment: an upstream that stays silent has finished all the same."""
    monkeypatch.setattr("venom_core.plugins.guarded_streams.SETTLE_SECONDS", 0.05)

    async def play(_self: object, _request: ChatRequest) -> AsyncGenerator[Any, None]:
        yield Frame.of(delta("ab"))
        yield Frame.of(finish("stop"))
        await asyncio.sleep(1e6)

    scripted.SCRIPTS["m"] = Script([])
    monkeypatch.setattr(ScriptedProvider, "_play", play)
    response = await within(client.post("/v1/chat/completions", json={**BODY, "stream": True}))
    said = lawful(response.content)
    assert (said.text, said.reasons) == ("ab", {0: "stop"})


async def test_what_never_ends_behind_a_finish_keeps_nobody(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where the provider never waits for anything; the last usage counts."""
    monkeypatch.setattr("venom_core.plugins.guarded_streams.SETTLE_SECONDS", 0.05)
    read_to_its_end: list[bool] = []

    async def play(_self: object, _request: ChatRequest) -> AsyncGenerator[Any, None]:
        yield Frame.of(delta("ab"))
        yield Frame.of(finish("stop"))
        for _ in range(200_000):  # more than there is time for
            yield Frame.of(USAGE)
        read_to_its_end.append(True)

    scripted.SCRIPTS["m"] = Script([])
    monkeypatch.setattr(ScriptedProvider, "_play", play)
    body = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
    said = lawful((await within(client.post("/v1/chat/completions", json=body))).content)
    assert read_to_its_end == []
    assert (said.text, said.reasons) == ("ab", {0: "stop"})
    assert said.usage is not None
    assert said.usage["total_tokens"] == 5


async def test_a_broken_rule_is_an_event_and_is_polish_where_that_is_asked_for(
    client: httpx.AsyncClient, plant: Any
) -> None:
    plant([delta("a"), finish("stop"), delta("b")])
    asked = {"json": BODY, "headers": {"Accept-Language": "pl"}}
    told = (await client.post("/v1/chat/completions", **asked)).json()["error"]["message"]
    assert "Scripted złamał regułę nothing_after_finish: Przysłał dalszy ciąg" in told
    plugins = await client.get("/api/v1/plugins", headers={"Accept-Language": "pl"})
    assert "Przysłał dalszy ciąg wyboru po jego zakończeniu." in plugins.text
