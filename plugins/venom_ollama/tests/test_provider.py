"""The provider against the fake server: every verb, what is sent, what is made of the answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_ollama.tests.asking import HELLO, SPEC, Make, chat, collect, embed
from venom_core.sdk import Frame, FrameKind
from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelNotCapable,
    ModelNotFound,
    QueueFull,
    Unavailable,
    UnsupportedParameter,
    UpstreamError,
)
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.ollama import FakeOllama, load_records
from venom_ollama.provider import OllamaProvider

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Weather of a city",
        "parameters": {
            "type": "object",
            "required": ["city"],
            "properties": {"city": {"type": "string", "description": "city"}},
        },
    },
}


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in load_records()[name].answer.body.splitlines()]


def sent(fake: FakeOllama, path: str) -> dict[str, Any]:
    """The body of the last request to ``path``."""
    body: dict[str, Any] = [r for r in fake.requests() if r["path"] == path][-1]["body"]
    return body


def text(frames: list[Frame]) -> str:
    return "".join(c.content or "" for frame in frames for c in frame.event.choices)


# Health


async def test_health_ready(provider: OllamaProvider) -> None:
    health = await provider.health()
    assert (health.status, health.version) == (ProviderStatus.READY, "0.24.0")


@pytest.mark.parametrize("version", ["0.12.5", "0.12.5-rc1", "0.9.0"])
async def test_health_of_an_old_one(
    provider: OllamaProvider, fake: FakeOllama, version: str
) -> None:
    fake.settings(version=version)
    health = await provider.health()
    assert health.status is ProviderStatus.DEGRADED
    assert health.reason is not None
    assert health.reason.code == "ollama_too_old"
    assert "0.12.6" in (health.reason.fix or "")


@pytest.mark.parametrize("version", ["0.12.6", "0.13.0-rc0", "1.0.0", "0.0.0"])
async def test_health_of_those_that_read_truncate(
    provider: OllamaProvider, fake: FakeOllama, version: str
) -> None:
    fake.settings(version=version)
    assert (await provider.health()).status is ProviderStatus.READY


async def test_health_when_nothing_listens(make: Make) -> None:
    provider = await make(base_url="127.0.0.1:9")
    health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE
    assert health.reason is not None
    assert health.reason.code == "ollama_down"
    assert "127.0.0.1:9" in health.reason.message
    assert "ollama serve" in (health.reason.fix or "")


async def test_no_message_shows_the_password_of_an_address(make: Make) -> None:
    provider = await make(base_url="http://me:hunter2@127.0.0.1:9")
    health = await provider.health()
    assert health.reason is not None
    assert "hunter2" not in str(health)


@pytest.mark.parametrize("setting", [{"base_url": "ftp://x"}, {"keep_alive": "soon"}])
async def test_settings_that_cannot_be_used(make: Make, setting: dict[str, str]) -> None:
    with pytest.raises(Unavailable) as caught:
        await make(**setting)
    assert caught.value.code == "invalid_setting"


# Chat


async def test_chat_stream(provider: OllamaProvider, fake: FakeOllama) -> None:
    frames = await collect(provider.chat(chat()))
    lines = recorded("302_chat_stream")
    assert text(frames) == "".join(line["message"]["content"] for line in lines)
    assert [frame.kind for frame in frames[-2:]] == [FrameKind.FINISH, FrameKind.USAGE]
    assert frames[-1].event.usage is not None
    assert frames[-1].event.usage.prompt_tokens == 12
    assert fake.requests()[-1]["answered_by"] == "302_chat_stream"


async def test_chat_answer(provider: OllamaProvider) -> None:
    (frame,) = await collect(provider.chat(chat(stream=False)))
    assert frame.event.choices[0].content == recorded("303_chat_nostream")[0]["message"]["content"]
    assert frame.event.choices[0].finish_reason == "length"


async def test_what_every_chat_says(provider: OllamaProvider, fake: FakeOllama) -> None:
    await collect(provider.chat(chat()))
    body = sent(fake, "/api/chat")
    assert (body["truncate"], body["shift"]) == (False, False)
    assert body["options"] == {"temperature": 0, "seed": 42, "num_predict": 16, "num_ctx": 4096}
    assert "keep_alive" not in body
    assert not any(request["path"].startswith("/v1") for request in fake.requests())


async def test_tools_come_and_go(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("two_tool_calls")
    body = {"messages": HELLO["messages"], "tools": [WEATHER]}
    frames = await collect(provider.chat(chat(body, model="gemma3-tools")))
    assert sent(fake, "/api/chat")["tools"] == [WEATHER]
    calls = [call for f in frames for c in f.event.choices for call in c.tool_calls]
    assert [call.index for call in calls] == [0, 1]
    assert [json.loads(call.arguments) for call in calls] == [
        {"city": "Paris"},
        {"city": "Łódź <1>"},
    ]
    assert calls[0].id == "call_3otnhovx"
    assert calls[1].id
    assert calls[1].id != calls[0].id
    assert frames[-2].event.choices[0].finish_reason == "tool_calls"
    assert text(frames) == "Looking. "


async def test_recorded_tool_call(provider: OllamaProvider, fake: FakeOllama) -> None:
    request = load_records()["308c_chat_tools_forced_schema_stream"].body
    body = {
        "messages": request["messages"],
        "tools": request["tools"],
        "response_format": {"type": "json_schema", "json_schema": {"schema": request["format"]}},
        "temperature": 0,
        "max_tokens": 64,
    }
    (frame,) = await collect(provider.chat(chat(body, stream=False, model="gemma3-tools")))
    assert fake.requests()[-1]["answered_by"] == "308c_chat_tools_forced_schema_stream"
    assert frame.event.choices[0].finish_reason == "tool_calls"


async def test_tool_choice_none_sends_no_tools(provider: OllamaProvider, fake: FakeOllama) -> None:
    await collect(provider.chat(chat({**HELLO, "tools": [WEATHER], "tool_choice": "none"})))
    assert "tools" not in sent(fake, "/api/chat")


async def test_thinking(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("thinking")
    frames = await collect(provider.chat(chat({**HELLO, "reasoning_effort": "high"})))
    assert sent(fake, "/api/chat")["think"] == "high"
    thoughts = "".join(c.reasoning or "" for f in frames for c in f.event.choices)
    lines = recorded("302_chat_stream")
    assert thoughts == "".join(line["message"]["content"] for line in lines[:5])
    assert text(frames) == "".join(line["message"]["content"] for line in lines[5:])


async def test_logprobs(provider: OllamaProvider, fake: FakeOllama) -> None:
    body = {"messages": HELLO["messages"], "temperature": 0, "max_tokens": 2,
            "logprobs": True, "top_logprobs": 2}  # fmt: skip
    frames = await collect(provider.chat(chat(body)))
    assert fake.requests()[-1]["answered_by"] == "320b_chat_logprobs_stream"
    tokens = [
        token
        for frame in frames
        for choice in frame.event.choices
        for token in (choice.logprobs or {}).get("content", [])
    ]
    assert [token["token"] for token in tokens] == ["Say", " hello"]


async def test_the_empty_answer_has_a_role(provider: OllamaProvider, fake: FakeOllama) -> None:
    line = {**recorded("302_chat_stream")[-1], "eval_count": 0}
    fake.fault("/api/chat", "status", status=200, body=json.dumps(line))
    frames = await collect(provider.chat(chat()))
    assert [frame.kind for frame in frames] == [
        FrameKind.DELTA, FrameKind.FINISH, FrameKind.USAGE
    ]  # fmt: skip
    assert frames[0].event.choices[0].role == "assistant"


@pytest.mark.parametrize(
    ("model", "body", "error", "param"),
    [
        ("nope", {"messages": HELLO["messages"]}, ModelNotFound, "model"),
        ("gemma3:270m", {"messages": HELLO["messages"], "tools": [WEATHER]},
         UnsupportedParameter, "tools"),
        ("gemma3:270m", {**HELLO, "tools": [WEATHER], "tool_choice": "required"},
         UnsupportedParameter, "tool_choice"),
        ("gemma3-embed", {"messages": [{"role": "user", "content": "x"}]},
         ModelNotCapable, "model"),
        ("gemma3:270m", {**HELLO, "max_tokens": 0}, InvalidRequest, "max_tokens"),
    ],
)  # fmt: skip
async def test_chat_refused(
    provider: OllamaProvider, model: str, body: dict[str, Any], error: type[Exception], param: str
) -> None:
    for stream in (True, False):
        with pytest.raises(error) as caught:
            await collect(provider.chat(chat(body, model=model, stream=stream)))
        assert caught.value.param == param  # type: ignore[attr-defined]


async def test_prompt_that_does_not_fit(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("long_prompt")
    prompt = load_records()["239d_generate_long_prompt"].body["prompt"]
    body = {"messages": [{"role": "user", "content": prompt}]}
    with pytest.raises(ContextLengthExceeded) as caught:
        await collect(provider.chat(chat(body)))
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(ContextLengthExceeded):
        await collect(provider.complete(chat({"prompt": prompt})))


async def test_busy(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("busy")
    with pytest.raises(QueueFull) as caught:
        await collect(provider.chat(chat()))
    assert caught.value.retry_after == 5.0
    assert caught.value.status == 429


# An Ollama that ignores `truncate`


@pytest.mark.parametrize("settings", [{"context_length": 512}, {}])
@pytest.mark.parametrize("stream", [True, False])
async def test_old_ollama_never_gives_an_answer_to_a_cut_prompt(
    make: Make, fake: FakeOllama, settings: dict[str, int], stream: bool
) -> None:
    fake.settings(version="0.12.5")
    fake.scenario("long_prompt")
    if not settings:
        # What is loaded has the context that the record was cut to.
        body = recorded("201_ps_loaded")[0]
        body["models"][0]["context_length"] = 512
        fake.fault("/api/ps", "status", status=200, body=json.dumps(body), times=0)
    provider = await make(**settings)
    prompt = load_records()["239d_generate_long_prompt"].body["prompt"]
    request = chat({"messages": [{"role": "user", "content": prompt}]}, stream=stream)
    frames: list[Frame] = []
    with pytest.raises(ContextLengthExceeded):
        await collect(provider.chat(request), frames)
    assert FrameKind.FINISH not in [frame.kind for frame in frames]
    assert stream or not frames


async def test_old_ollama_answers_what_fits(make: Make, fake: FakeOllama) -> None:
    fake.settings(version="0.12.5")
    provider = await make()
    assert len(await collect(provider.chat(chat(stream=False)))) == 1


# Context and keep-alive


async def test_the_loaded_context_is_adopted(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.prefer("724_num_ctx_change_reloads#3")
    await collect(provider.chat(chat()))
    assert sent(fake, "/api/chat")["options"]["num_ctx"] == 1024


async def test_nothing_is_said_of_a_model_that_is_not_loaded(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    fake.prefer("005_get_ps_empty")
    await collect(provider.chat(chat()))
    assert "num_ctx" not in sent(fake, "/api/chat")["options"]


async def test_the_users_context_wins_and_is_constant(make: Make, fake: FakeOllama) -> None:
    fake.scenario("any_prompt")
    provider = await make(context_length=2048)
    await collect(provider.chat(chat()))
    await collect(provider.complete(chat({"prompt": "x", "max_tokens": 1})))
    await provider.load("gemma3:270m")
    bodies = [r["body"] for r in fake.requests() if r["method"] == "POST"]
    assert [body["options"]["num_ctx"] for body in bodies] == [2048] * 3


async def test_one_look_at_what_is_loaded_serves_a_burst(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    for _ in range(5):
        await collect(provider.chat(chat()))
    paths = [request["path"] for request in fake.requests()]
    assert paths.count("/api/ps") == 1
    assert paths.count("/api/version") == 1


@pytest.mark.parametrize(("setting", "field"), [("10m", "10m"), ("30", 30), ("-1", -1)])
async def test_keep_alive(make: Make, fake: FakeOllama, setting: str, field: Any) -> None:
    provider = await make(keep_alive=setting)
    await collect(provider.chat(chat()))
    assert sent(fake, "/api/chat")["keep_alive"] == field


# Completions and embeddings


async def test_complete_is_raw(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("any_prompt")
    (frame,) = await collect(
        provider.complete(chat({"prompt": "The capital of France is"}, stream=False))
    )
    body = sent(fake, "/api/generate")
    assert (body["raw"], body["truncate"], body["shift"]) == (True, False, False)
    assert frame.event.choices[0].content
    frames = await collect(provider.complete(chat({"prompt": "x"})))
    assert text(frames) == "".join(line["response"] for line in recorded("204_generate_stream"))


async def test_complete_recorded(provider: OllamaProvider, fake: FakeOllama) -> None:
    request = load_records()["710_parallel_1_three_streams#0"].body
    body = {"prompt": request["prompt"], "temperature": 0, "seed": 1, "max_tokens": 24}
    frames = await collect(provider.complete(chat(body)))
    assert fake.requests()[-1]["answered_by"] == "710_parallel_1_three_streams#0"
    lines = recorded("710_parallel_1_three_streams#0")
    assert text(frames) == "".join(line["response"] for line in lines)


async def test_suffix_uses_the_template(provider: OllamaProvider, fake: FakeOllama) -> None:
    words = load_records()["212_generate_suffix"].answer.body.decode()
    fake.fault("/api/generate", "status", status=400, body=words)
    with pytest.raises(UnsupportedParameter) as caught:
        await collect(provider.complete(chat({"prompt": "def f(", "suffix": "return x"})))
    assert caught.value.param == "suffix"
    assert "raw" not in sent(fake, "/api/generate")


@pytest.mark.parametrize("prompt", ["", None, ["a"], [1, 2]])
async def test_prompts_that_are_no_text(provider: OllamaProvider, prompt: Any) -> None:
    with pytest.raises(InvalidRequest):
        await collect(provider.complete(chat({"prompt": prompt})))


async def test_embed(provider: OllamaProvider, fake: FakeOllama) -> None:
    one = await provider.embed(embed("hello world"))
    assert fake.requests()[-1]["answered_by"] == "452_embed_string"
    assert one.vectors == (tuple(recorded("452_embed_string")[0]["embeddings"][0]),)
    assert one.prompt_tokens == 3
    two = await provider.embed(embed("hello world", "goodbye"))
    assert len(two.vectors) == 2
    assert fake.requests()[-1]["answered_by"] == "453_embed_list"
    small = await provider.embed(embed("hello world", dimensions=8))
    assert len(small.vectors[0]) == 8
    assert sent(fake, "/api/embed")["truncate"] is False


async def test_embed_refused(provider: OllamaProvider, fake: FakeOllama) -> None:
    with pytest.raises(ModelNotCapable):
        await provider.embed(embed("hello", model="gemma3:270m"))
    with pytest.raises(ModelNotFound):
        await provider.embed(embed("x", model="nope"))
    with pytest.raises(InvalidRequest):
        await provider.embed(embed("", model="gemma3:270m"))
    record = load_records()["455_embed_truncate_false"]
    with pytest.raises(ContextLengthExceeded):
        fake.fault("/api/embed", "status", status=400, body=record.answer.body.decode())
        await provider.embed(embed(record.body["input"]))


@pytest.mark.parametrize(
    "body",
    ["{}", '{"embeddings": [[1.0]]}', '{"embeddings": [["a"], [1]]}', '{"embeddings": 5}', "[]"],
)
async def test_embeddings_of_a_wrong_shape(
    provider: OllamaProvider, fake: FakeOllama, body: str
) -> None:
    fake.fault("/api/embed", "status", status=200, body=body)
    with pytest.raises(UpstreamError):
        await provider.embed(embed("a", "b"))


# The manifest


def test_declared_is_what_the_class_has() -> None:
    for capability in SPEC.capabilities:
        assert str(capability) in vars(OllamaProvider)
    assert not {"n", "logit_bias", "echo", "best_of"} & SPEC.parameters
