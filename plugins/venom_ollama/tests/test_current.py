"""Ollama from 0.30 on, against the fake that keeps its state: what loads a model, what an answer
may fill, what is believed of a model, and how its errors and endings are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugins.venom_ollama.tests.asking import Make, chat, collect, embed
from venom_core.sdk import Frame
from venom_core.sdk.errors import ContextLengthExceeded, ModelNotCapable, VenomError
from venom_core.testing.ollama import CURRENT_VERSION, FakeOllama, current_records
from venom_ollama.provider import OllamaProvider

HI = [{"role": "user", "content": "hi"}]
ENDLESS = [{"role": "user", "content": "whale " * 20 + "Go on with the story."}]


@pytest.fixture
def fake(running_fake: FakeOllama) -> FakeOllama:
    running_fake.reset()
    running_fake.settings(version=CURRENT_VERSION)
    return running_fake


def ask(model: str, messages: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    stream = more.pop("stream", True)
    return chat({"messages": messages or HI, **more}, model=model, stream=stream)


def sent(fake: FakeOllama, path: str = "/api/chat") -> list[dict[str, Any]]:
    return [r["body"] for r in fake.requests() if r["path"] == path]


def ending(frames: list[Frame]) -> tuple[str | None, str | None]:
    (choice,) = [c for f in frames for c in f.event.choices if c.finish_reason]
    return choice.finish_reason, choice.finish_note


def tokens(frames: list[Frame]) -> tuple[int, int]:
    (usage,) = [f.event.usage for f in frames if f.event.usage]
    return usage.prompt_tokens, usage.completion_tokens


# Loads


async def one_chat(provider: OllamaProvider, model: str) -> None:
    await collect(provider.chat(ask(model)))


async def long_chat(provider: OllamaProvider, model: str) -> None:
    await collect(provider.chat(ask(model, [{"role": "user", "content": "a word " * 400}])))


async def completion(provider: OllamaProvider, model: str) -> None:
    await collect(provider.complete(chat({"prompt": "x"}, model=model)))


async def load(provider: OllamaProvider, model: str) -> None:
    await provider.load(model)


TRAFFIC = {
    "chat": [one_chat, one_chat],
    "load, then chat": [load, one_chat],
    "chat, then load": [one_chat, load],
    "chat and completion": [one_chat, completion, one_chat],
    "a prompt that is measured": [one_chat, long_chat, one_chat],
    "load twice": [load, load],
}


@pytest.mark.parametrize("model", ["smollm2:135m", "smol-ctx"])
@pytest.mark.parametrize("name", TRAFFIC)
@pytest.mark.parametrize("settings", [{}, {"context_length": 2048}, {"keep_alive": "10m"}])
async def test_our_own_traffic_loads_a_model_once(
    make: Make, fake: FakeOllama, name: str, model: str, settings: dict[str, Any]
) -> None:
    provider = await make(**settings)
    for step in TRAFFIC[name]:
        await step(provider, model)
    assert len(fake.loads()) == 1


@pytest.mark.parametrize("loads_first", [True, False])
async def test_an_embedding_model_is_loaded_once(
    provider: OllamaProvider, fake: FakeOllama, loads_first: bool
) -> None:
    if loads_first:
        await provider.load("smol-embed")
    for _ in range(2):
        await provider.embed(embed("hello", model="smol-embed"))
    assert len(fake.loads()) == 1


OTHERS = {
    "ollama run": {},
    "a larger context": {"options": {"num_ctx": 8192}},
    "a smaller context": {"options": {"num_ctx": 512}},
}


@pytest.mark.parametrize("step", [one_chat, long_chat, completion, load])
@pytest.mark.parametrize("name", OTHERS)
async def test_a_model_that_others_loaded_is_left_as_it_is(
    provider: OllamaProvider, fake: FakeOllama, name: str, step: Any
) -> None:
    fake.ask("/api/generate", {"model": "smollm2:135m", **OTHERS[name]})
    if step is long_chat and name == "a smaller context":
        with pytest.raises(ContextLengthExceeded):
            await step(provider, "smollm2:135m")
    else:
        await step(provider, "smollm2:135m")
    fake.ask("/api/generate", {"model": "smollm2:135m", **OTHERS[name]})
    assert len(fake.loads()) == 1


async def test_an_adopted_context_is_gone_with_the_model(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    fake.ask("/api/generate", {"model": "smollm2:135m", "options": {"num_ctx": 8192}})
    await one_chat(provider, "smollm2:135m")
    assert sent(fake)[-1]["options"]["num_ctx"] == 8192
    fake.ask("/api/generate", {"model": "smollm2:135m", "keep_alive": 0})
    await one_chat(provider, "smollm2:135m")
    assert [load["num_ctx"] for load in fake.loads()] == [8192, 4096]


async def test_a_keep_alive_of_nothing_does_not_load_twice(make: Make, fake: FakeOllama) -> None:
    provider = await make(keep_alive="0")
    await one_chat(provider, "smollm2:135m")
    assert len(fake.loads()) == 1
    assert sent(fake)[-1]["keep_alive"] == 0


# What an answer may fill


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("extra", [{}, {"max_tokens": 4000}, {"max_tokens": 100_000}])
@pytest.mark.parametrize("words", [1, 300, 2000, 4000])
async def test_an_endless_answer_ends_inside_the_context(
    provider: OllamaProvider, fake: FakeOllama, words: int, extra: dict[str, int], stream: bool
) -> None:
    messages = [{"role": "user", "content": "w " * words + "go on"}]
    frames = await collect(provider.chat(ask("smollm2:135m", messages, stream=stream, **extra)))
    reason, note = ending(frames)
    prompt, answer = tokens(frames)
    assert reason == "length"
    assert answer == extra.get("max_tokens") or (note and "4096" in note)
    assert prompt + answer <= 4096
    # Half of the context at least, or all that the prompt leaves.
    assert answer >= min(2048, 4096 - prompt)
    assert fake.shifted() == 0


async def test_a_limit_that_fits_is_sent_as_it_came(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    frames = await collect(provider.chat(ask("smollm2:135m", ENDLESS, max_tokens=50)))
    (body,) = sent(fake)
    assert body["options"]["num_predict"] == 50
    assert ending(frames) == ("length", None)
    assert tokens(frames)[1] == 50


async def test_the_models_own_limit_is_not_raised(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    frames = await collect(provider.chat(ask("smol-ctx", ENDLESS)))
    assert tokens(frames)[1] == 7
    assert "num_predict" not in sent(fake)[-1]["options"]


async def test_a_prompt_that_leaves_no_room_is_refused_with_its_numbers(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    messages = [{"role": "user", "content": "word " * 6000}]
    with pytest.raises(ContextLengthExceeded) as caught:
        await collect(provider.chat(ask("smol-ctx", messages)))
    assert "6009" in caught.value.message
    assert "maximum context length is 1024" in caught.value.message
    assert fake.shifted() == 0


async def test_the_body_that_was_sent_is_told(provider: OllamaProvider, fake: FakeOllama) -> None:
    request = ask("smollm2:135m")
    await collect(provider.chat(request))
    assert request.sent.body == sent(fake)[-1]
    assert request.sent.body["options"]["num_ctx"] == 4096
    assert "shift" not in request.sent.body


# What is believed of a model


CAPABLE = {
    "smol-jinja:latest": {"chat", "completion", "tools"},
    "smol-jinja-think:latest": {"chat", "completion", "thinking"},
    "smol-embed:latest": {"embedding"},
    "smol-embed2:latest": {"embedding", "tools"},
    "smollm2:135m": {"chat", "completion"},
    "far:cloud-like": {"chat", "completion", "tools", "thinking"},
}


@pytest.mark.parametrize("name", CAPABLE)
async def test_capabilities_are_those_of_the_details(provider: OllamaProvider, name: str) -> None:
    models = {model.ref: model for model in await provider.models()}
    assert models[name].capabilities == CAPABLE[name]
    assert (await provider.describe(name)).capabilities == CAPABLE[name]


@pytest.mark.parametrize("look", ["models", "describe", "nothing"])
@pytest.mark.parametrize("model", ["smol-stops", "smol-ctx", "smollm2:135m"])
async def test_what_is_sent_does_not_depend_on_who_looked(
    provider: OllamaProvider, fake: FakeOllama, model: str, look: str
) -> None:
    if look == "models":
        await provider.models()
    elif look == "describe":
        await provider.describe(model)
    await one_chat(provider, model)
    (body,) = sent(fake)
    assert body["options"].keys() <= {"num_ctx", "num_predict"}


async def test_stops_of_a_model_are_shown_as_they_are(provider: OllamaProvider) -> None:
    model = await provider.describe("smol-stops")
    assert model.defaults["stop"] == ["a\\b", "\t", "\u200b", "C:\\new"]
    assert model.applies_defaults


NAMES = ["SmolLM2:135M", "library/smollm2:135m", "registry.ollama.ai/library/smollm2:135m",
         "Registry.Ollama.ai/Library/SMOLLM2:135m"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_other_spellings_are_the_same_model(
    provider: OllamaProvider, fake: FakeOllama, name: str
) -> None:
    assert provider.canonical(name) == provider.canonical("smollm2:135m")
    await one_chat(provider, "smollm2:135m")
    await one_chat(provider, name)
    assert len(fake.loads()) == 1
    assert (await provider.describe(name)).ref == "smollm2:135m"


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max"])
async def test_every_effort_is_one_that_ollama_knows(
    provider: OllamaProvider, fake: FakeOllama, effort: str
) -> None:
    await collect(provider.chat(ask("smol-jinja-think", reasoning_effort=effort)))
    assert sent(fake)[-1]["think"] in (False, "low", "medium", "high", "max")


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_what_was_thought_before_goes_along(
    provider: OllamaProvider, fake: FakeOllama, field: str
) -> None:
    before = [*HI, {"role": "assistant", "content": "Hello.", field: "A greeting."}, *HI]
    await collect(provider.chat(ask("smol-jinja-think", before)))
    assert sent(fake)[-1]["messages"][1]["thinking"] == "A greeting."


# Errors. For each record the code, the status, the parameter and a word of the message or the fix.

ERRORS: dict[str, tuple[str, int, str | None, str]] = {
    "738_out_of_memory": ("out_of_memory", 503, None, "venom stop"),
    "970_schema_type_nonsense": ("unusable_schema", 400, "response_format", "nonsense"),
    "971_schema_ref_unresolved": ("unusable_schema", 400, "response_format", "nope"),
    "972_schema_pattern_not_anchored": ("unusable_schema", 400, "response_format", "Pattern"),
    "973_schema_repetition_limit": ("unusable_schema", 400, "response_format", "grammar"),
    "975d_schema_nonsense_jinja": ("unusable_schema", 400, "response_format", "nonsense"),
    "964_tools_bad_shape": ("unusable_schema", 400, "tools", "schema"),
    "976_images_chat": ("model_not_capable", 400, "messages", "images"),
    "976d_images_jinja": ("model_not_capable", 400, "messages", "images"),
    "731_garbage_blob_load": ("model_damaged", 507, None, "venom pull"),
    "730_truncated_blob_load": ("model_damaged", 507, None, "venom pull"),
    "737b_bad_version": ("model_damaged", 507, None, "venom pull"),
    "737d_bad_string_length": ("model_damaged", 507, None, "venom pull"),
    "732_missing_blob_load": ("model_not_found", 404, "model", "venom pull"),
    "985_remote_401": ("ollama_sign_in_required", 401, None, "https://ollama.com/connect"),
    "985_remote_402": ("payment_required", 402, None, "weekly usage limit"),
    "985_remote_403": ("ollama_cloud_forbidden", 403, None, "requires a subscription"),
    "985_remote_429": ("ollama_cloud_limit", 429, None, "hourly usage limit"),
    "985_remote_503": ("ollama_cloud_unreachable", 503, None, "this machine"),
    "985_remote_404": ("model_not_found", 404, "model", "venom list"),
    "988_remote_down": ("ollama_cloud_unreachable", 503, None, "another machine"),
    "988b_remote_not_allowed": ("ollama_cloud_unreachable", 503, None, "another machine"),
    "988c_remote_no_cloud": ("ollama_cloud_unreachable", 503, None, "another machine"),
    "989d_chat_bad_renderer": ("upstream_error", 502, None, "unknown renderer"),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("name", ERRORS)
async def test_errors_keep_their_meaning(
    provider: OllamaProvider, fake: FakeOllama, name: str, stream: bool
) -> None:
    record = current_records()[name]
    # The names in a record's address are blanked out; an address has letters there.
    body = record.answer.body.replace(b"<HOSTNAME>", b"pc").replace(b"<PUBLIC_KEY>", b"abc")
    fake.fault("/api/chat", "status", status=record.answer.status, body=body.decode())
    more: dict[str, Any] = {}
    if "format" in record.body:
        schema = {"schema": record.body["format"]}
        more["response_format"] = {"type": "json_schema", "json_schema": schema}
    with pytest.raises(VenomError) as caught:
        await collect(provider.chat(ask("smollm2:135m", stream=stream, **more)))
    error = caught.value
    code, status, param, word = ERRORS[name]
    assert (error.code, error.status, error.param) == (code, status, param)
    assert word in f"{error.message} {error.fix}"
    assert "{" not in error.message or "schema" in error.code
    assert "<OLLAMA_MODELS>" not in error.message
    assert "\\" not in error.message


async def test_an_unknown_error_of_the_engine_is_told_in_its_words(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    inner = {"error": {"code": 400, "message": "No such thing.", "type": "invalid_request_error"}}
    body = json.dumps({"error": json.dumps(inner)})
    fake.fault("/api/chat", "status", status=500, body=body)
    with pytest.raises(VenomError) as caught:
        await one_chat(provider, "smollm2:135m")
    assert (caught.value.status, caught.value.code) == (400, "invalid_request_error")
    assert caught.value.message == "Ollama refused the request: No such thing."


@pytest.mark.parametrize("where", ["/api/generate", "/api/show"])
async def test_what_keeps_a_model_from_loading_is_told(
    provider: OllamaProvider, fake: FakeOllama, where: str
) -> None:
    record = current_records()["731_garbage_blob_load"].answer
    fake.fault(where, "status", status=record.status, body=record.body.decode())
    with pytest.raises(VenomError) as caught:
        await one_chat(provider, "smollm2:135m")
    assert caught.value.code == "model_damaged"


async def test_an_embedding_model_does_not_chat(provider: OllamaProvider) -> None:
    with pytest.raises(ModelNotCapable):
        await one_chat(provider, "smol-embed")


# Streams without a last line


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("name", "word"),
    [("940_repeat_guard_chat_stream", "repeated '0'"), ("986b_remote_cut_without_done", "why")],
)
async def test_the_text_before_a_missing_last_line_is_kept(
    provider: OllamaProvider, fake: FakeOllama, name: str, word: str, stream: bool
) -> None:
    record = current_records()[name].answer
    fake.fault("/api/chat", "status", status=200, body=record.body.decode())
    frames = await collect(provider.chat(ask("smollm2:135m", stream=stream)))
    reason, note = ending(frames)
    assert reason == "length"
    assert word in (note or "")
    text = "".join(c.content or "" for f in frames for c in f.event.choices)
    assert text == "".join(line["message"]["content"] for line in record.lines())


async def test_an_answer_in_one_piece_that_is_not_done(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    record = current_records()["941_repeat_guard_chat"].answer
    fake.fault("/api/chat", "status", status=200, body=record.body.decode())
    (frame,) = await collect(provider.chat(ask("smollm2:135m", stream=False)))
    assert ending([frame])[0] == "length"
    assert frame.event.choices[0].content == json.loads(record.body)["message"]["content"]


# Models elsewhere


async def test_a_model_elsewhere_is_neither_loaded_nor_measured(
    provider: OllamaProvider, fake: FakeOllama
) -> None:
    frames = await collect(provider.chat(ask("far:cloud-like")))
    assert "".join(c.content or "" for f in frames for c in f.event.choices) == "Hello"
    (body,) = sent(fake)
    assert body.keys() <= {"model", "messages", "stream", "truncate"}
    assert not sent(fake, "/api/generate")
    assert not fake.loads()
