"""The real engine with the real models: what it answers, refuses, and survives."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import random
import re
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from venom_core.sdk.errors import ContextLengthExceeded, UpstreamError
from venom_core.sdk.frames import Answer, FrameKind
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.provider import EngineStatus
from venom_core.testing.contexts import opened, provider_context
from venom_core.testing.questions import KNOWN, is_right
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import UNFINISHED, LlamaCppProvider

# One provider for all: each start of an engine costs seconds on a small machine.
pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
GEMMA, SMOL = "gemma3-270m-base", "smollm2:135m"


class Asker:
    """A provider over the real store, asked the way the chat path asks: defaults filled in."""

    def __init__(self, provider: LlamaCppProvider) -> None:
        self.provider = provider

    async def frames(self, ref: str, text: str, *, stream: bool, **body: Any) -> list[Any]:
        model = await self.provider.describe(ref)
        whole = {**model.defaults, "messages": [{"role": "user", "content": text}], **body}
        request = ChatRequest(ref, whole, stream, "test")
        return [frame async for frame in self.provider.chat(request)]

    async def answer(self, ref: str, text: str, **body: Any) -> str:
        (frame,) = await self.frames(ref, text, stream=False, **body)
        assert isinstance(frame.event, Answer)
        return frame.event.choices[0].content or ""


@contextlib.asynccontextmanager
async def asker(models_dir: Path, data_dir: Path, **settings: Any) -> AsyncIterator[Asker]:
    context = provider_context(venom_providers()[0], data_dir, models_dir, settings)
    async with opened(LlamaCppProvider(context)) as provider:
        yield Asker(provider)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask(real_models: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asker]:
    """A provider with the settings that everybody has."""
    async with asker(real_models, tmp_path_factory.mktemp("data")) as asking:
        yield asking


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask_small(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Asker]:
    """One with a context of 512 tokens: what fills it is read in seconds."""
    data = tmp_path_factory.mktemp("small")
    async with asker(real_models, data, context_length=512) as asking:
        yield asking


async def status_of(asking: Asker, ref: str) -> EngineStatus:
    """Return the state of the engine that answers."""
    name = f"llama.cpp ({ref})"
    return next(status for status in await asking.provider.engines() if status.name == name)


async def test_capital_of_poland_streamed_and_not(ask: Asker) -> None:
    question = "What is the capital of Poland?"
    assert await ask.answer(GEMMA, question) == "Warsaw"
    frames = await ask.frames(GEMMA, question, stream=True)
    assert "".join(_contents(frames)) == "Warsaw"
    assert frames[-1].kind == FrameKind.USAGE and frames[-1].event.usage.completion_tokens >= 1
    assert [frame.kind for frame in frames].count(FrameKind.FINISH) == 1
    assert all(frame.body["model"] == GEMMA for frame in frames)


async def test_twelve_known_questions_shuffled(
    ask: Asker, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = list(KNOWN)
    random.shuffle(questions)
    wrong = await wrong_answers(ask, questions)
    record_property("score", f"{len(KNOWN) - len(wrong)}/{len(KNOWN)}")
    status = await status_of(ask, GEMMA)
    with capsys.disabled():
        print(
            f"\n{GEMMA}: {len(KNOWN) - len(wrong)} of {len(KNOWN)} known questions, ready in "
            f"{status.ready_seconds} s, {(status.memory_bytes or 0) / 1e6:.0f} MB"
        )
    assert wrong == {}


async def test_answer_depends_on_nothing_that_was_asked_before(ask: Asker) -> None:
    # Nearly even in this model: what the engine did before decided between the two answers.
    even = [
        "What is the largest planet in the solar system?",
        "What is 2 + 2?",
        "What is the chemical symbol for gold?",
    ]
    for question in even:
        await ask.provider.unload(GEMMA)
        assert await wrong_answers(ask, [question]) == {}, "first of all"
    await ask.provider.embed(EmbedRequest(GEMMA, ("something else",), "test"))
    assert await wrong_answers(ask, even) == {}, "after an embedding"
    body = {"prompt": "Once upon a time", "max_tokens": 2, "temperature": 0}
    _ = [frame async for frame in ask.provider.complete(ChatRequest(GEMMA, body, False, "test"))]
    assert await wrong_answers(ask, even) == {}, "after a completion"
    turns = [
        {"role": "user", "content": "Who wrote Hamlet?"},
        {"role": "assistant", "content": "Shakespeare"},
    ]
    messages = [*turns * 40, {"role": "user", "content": "hi"}]
    await ask.frames(GEMMA, "", stream=False, messages=messages)
    assert await wrong_answers(ask, even) == {}, "after a conversation beyond the window"
    answers = await asyncio.gather(*(wrong_answers(ask, [question]) for question in even * 2))
    assert not any(answers), "at the same time"


@pytest.mark.parametrize("left", ["whole", "broken", "unfinished"])
async def test_the_state_that_an_engine_left_serves_the_next(
    real_models: Path, tmp_path: Path, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its template is read once for all starts; what is broken or unfinished is made anew."""
    warmed_up: list[str] = []
    warm_up = LlamaCppProvider._warm_up

    async def counted(self: Any, served: Any, endpoint: Any, file: str, timeout: float) -> None:
        warmed_up.append(file)
        await warm_up(self, served, endpoint, file, timeout)

    monkeypatch.setattr(LlamaCppProvider, "_warm_up", counted)
    folder = tmp_path / "engines" / f"{GEMMA}.slot"
    async with asker(real_models, tmp_path) as first:
        await first.provider.load(GEMMA)
    (state,) = folder.iterdir()
    if left == "broken":
        state.write_bytes(b"broken" * 1000)
    elif left == "unfinished":
        (folder / UNFINISHED).write_bytes(state.read_bytes()[:100_000])
        state.unlink()
    questions = random.sample(list(KNOWN), 3)
    async with asker(real_models, tmp_path) as second:
        assert await wrong_answers(second, questions) == {}
    assert len(warmed_up) == (1 if left == "whole" else 2)
    if left == "whole":  # with another context it is another state
        async with asker(real_models, tmp_path, context_length=512) as third:
            assert await wrong_answers(third, questions) == {}
        assert len(warmed_up) == 2 and [file.name for file in folder.iterdir()] == [warmed_up[1]]


async def wrong_answers(asking: Asker, questions: list[str]) -> dict[str, str]:
    answers = {question: await asking.answer(GEMMA, question) for question in questions}
    return {asked: got for asked, got in answers.items() if not is_right(asked, got)}


async def test_hi_gets_a_sentence_every_time(ask: Asker) -> None:
    for _ in range(10):
        text = await ask.answer(SMOL, "hi")
        assert re.fullmatch(r"[A-Z][A-Za-z ,!?'.]{10,}[.!?]", text), text


async def test_a_conversation_of_several_turns_and_a_system_role(ask: Asker) -> None:
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
        {"role": "assistant", "content": "The capital of France is Paris."},
        {"role": "user", "content": "And what is the capital of Poland?"},
    ]
    assert "Warsaw" in await ask.answer(SMOL, "", messages=messages, temperature=0)


async def test_an_assistants_last_turn_is_gone_on_from_alike_in_both_modes(ask: Asker) -> None:
    messages = [
        {"role": "user", "content": "What is the capital of Poland?"},
        {"role": "assistant", "content": "The capital of Pol"},
    ]
    body = {"messages": messages, "temperature": 0, "max_tokens": 8}
    for model in (SMOL, GEMMA):
        whole = await ask.answer(model, "", **body)
        streamed = "".join(_contents(await ask.frames(model, "", stream=True, **body)))
        assert whole == streamed
        assert not whole.startswith("The capital")


async def test_prompt_too_long_is_refused_with_numbers(ask: Asker, ask_small: Asker) -> None:
    for stream in (False, True):
        with pytest.raises(ContextLengthExceeded, match=r"4096 tokens.* \d{4} tokens"):
            await ask.frames(SMOL, "word " * 5000, stream=stream)
        with pytest.raises(ContextLengthExceeded, match=r"512 tokens.* \d{3} tokens"):
            await ask_small.frames(SMOL, "word " * 600, stream=stream)


async def test_two_requests_at_once_have_the_whole_context_each(ask_small: Asker) -> None:
    texts = [f"{word} " * 420 for word in ("one", "two")]
    frames = await asyncio.gather(
        *(ask_small.frames(SMOL, text, stream=False, max_tokens=4) for text in texts)
    )
    for (frame,) in frames:
        assert 420 < frame.event.usage.prompt_tokens < 512
        assert frame.event.choices[0].finish_reason in ("stop", "length")


async def test_answer_that_fills_the_context_says_so(ask_small: Asker) -> None:
    (frame,) = await ask_small.frames(
        SMOL, "word " * 440, stream=False, max_tokens=400, logit_bias={"2": -100, "0": -100}
    )
    usage = frame.event.usage
    assert usage.prompt_tokens + usage.completion_tokens <= 512
    assert frame.event.choices[0].finish_reason == "length"


async def test_embeddings_put_cat_nearer_to_dog_than_to_an_engine(ask: Asker) -> None:
    inputs = ("cat", "dog", "airplane engine")
    got = await ask.provider.embed(EmbedRequest(GEMMA, inputs, "test"))
    cat, dog, engine = got.vectors
    assert len(cat) == 640 and math.isclose(math.dist(cat, [0] * 640), 1.0, rel_tol=1e-3)
    assert _dot(cat, dog) > _dot(cat, engine) + 0.05
    assert got.prompt_tokens >= 3
    assert await ask.answer(GEMMA, "What is the capital of Poland?") == "Warsaw"


def far(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the largest difference of two vectors in one place."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


TEXTS = ("cat", "A dog barks at the mailman.", "Zażółć gęślą jaźń", "word " * 40)


@pytest.mark.parametrize("model", [GEMMA, SMOL])
async def test_a_vector_depends_on_its_text_alone(ask: Asker, model: str) -> None:
    embed = ask.provider.embed
    alone = [(await embed(EmbedRequest(model, (text,), "t"))).vectors[0] for text in TEXTS]
    listed = (await embed(EmbedRequest(model, TEXTS, "t"))).vectors
    together = await asyncio.gather(
        *(embed(EmbedRequest(model, (text,), "t")) for text in TEXTS),
        embed(EmbedRequest(model, tuple(reversed(TEXTS)), "t")),
    )
    backwards = together.pop().vectors[::-1]
    for place, vector in enumerate(alone):
        for other in (listed[place], together[place].vectors[0], backwards[place]):
            assert far(vector, other) < 1e-5, TEXTS[place]


async def test_an_embedding_does_not_wait_for_an_answer(ask: Asker) -> None:
    await ask.provider.embed(EmbedRequest(SMOL, ("warm",), "t"))
    story = {"messages": [{"role": "user", "content": "Tell me a long story."}], "max_tokens": 2000}
    frames = [ask.provider.chat(ChatRequest(SMOL, story, True, str(place))) for place in range(2)]
    for stream in frames:  # both places of this engine answer
        await anext(stream)
    found = await ask.provider.embed(EmbedRequest(SMOL, ("cat",), "t"))
    assert len(found.vectors) == 1
    for stream in frames:
        assert FrameKind.FINISH not in (await anext(stream)).kind
        await stream.aclose()


async def test_a_model_with_two_engines_is_one_model_in_memory(ask: Asker) -> None:
    await ask.answer(SMOL, "hi")
    await ask.provider.embed(EmbedRequest(SMOL, ("cat",), "t"))
    held = [model for model in await ask.provider.ps() if model.ref == SMOL]
    engines = [one for one in await ask.provider.engines() if one.model == SMOL]
    assert len(engines) == 2 and len(held) == 1
    assert held[0].size_bytes == pytest.approx(
        sum(one.memory_bytes or 0 for one in engines), rel=0.2
    )
    launchers = [psutil.Process(one.pid) for one in engines]
    tree = [*launchers, *(one for each in launchers for one in each.children(recursive=True))]
    await ask.provider.unload(SMOL)
    assert not any(process.is_running() for process in tree)
    assert [one for one in await ask.provider.engines() if one.model == SMOL] == []
    assert not any(model.ref == SMOL for model in await ask.provider.ps())


async def test_input_too_long_to_embed_is_refused_with_numbers(
    ask: Asker, ask_small: Asker
) -> None:
    got = await ask_small.provider.embed(EmbedRequest(SMOL, ("word " * 500,), "test"))
    assert len(got.vectors) == 1 and got.prompt_tokens > 450
    for asking, words, limit in ((ask_small, 600, 512), (ask, 1100, 1024)):
        inputs = ("short", "word " * words)
        with pytest.raises(ContextLengthExceeded, match=rf"Input 1 has \d+ tokens.* {limit} at"):
            await asking.provider.embed(EmbedRequest(SMOL, inputs, "test"))


async def test_raw_completion(ask: Asker) -> None:
    body = {"prompt": "The capital of Poland is", "max_tokens": 4, "temperature": 0}
    frames = [f async for f in ask.provider.complete(ChatRequest(GEMMA, body, True, "test"))]
    assert "".join(_contents(frames)).startswith(" Warsaw")


@pytest.mark.parametrize("stream", [True, False])
async def test_logprobs_of_a_completion_have_its_shape(ask: Asker, stream: bool) -> None:
    body = {"prompt": "The capital of Poland is", "max_tokens": 4, "temperature": 0, "logprobs": 2}
    frames = [frame async for frame in ask.provider.complete(ChatRequest(GEMMA, body, stream, "t"))]
    choices = [choice for frame in frames for choice in frame.event.choices]
    text = "".join(choice.content or "" for choice in choices)
    told = [choice.logprobs for choice in choices if choice.logprobs]
    tokens = [token for one in told for token in one["tokens"]]
    assert len(tokens) == 4 and "".join(tokens) == text and "Warsaw" in text
    offsets = [place for one in told for place in one["text_offset"]]
    assert all(text[place:].startswith(token) for place, token in zip(offsets, tokens, strict=True))
    assert offsets[0] == 0 and offsets == sorted(set(offsets))
    for one in told:
        for token, value, top in zip(
            one["tokens"], one["token_logprobs"], one["top_logprobs"], strict=True
        ):
            assert len(top) == 2 and top[token] == value


@pytest.mark.parametrize("stream", [True, False])
async def test_several_choices_are_numbered_and_counted(ask: Asker, stream: bool) -> None:
    body = {"prompt": "Once", "max_tokens": 5, "temperature": 1, "seed": 3, "n": 3, "stop": ["\0"]}
    request = ChatRequest(SMOL, body, stream, "t")
    frames = [frame async for frame in ask.provider.complete(request)]
    assert request.sent.emulated == ("n",)
    choices = [choice for frame in frames for choice in frame.event.choices]
    texts = ["".join(c.content or "" for c in choices if c.index == place) for place in range(3)]
    assert len(set(texts)) > 1 and all(texts)
    ends = [choice.index for choice in choices if choice.finish_reason]
    assert ends == [0, 1, 2]
    (usage,) = [frame.event.usage for frame in frames if frame.event.usage]
    one = ChatRequest(SMOL, {**body, "n": 1}, False, "t")
    (alone,) = [frame.event async for frame in ask.provider.complete(one)]
    assert alone.choices[0].content == texts[0], "the first choice is what one alone would be"
    assert usage.prompt_tokens == alone.usage.prompt_tokens
    assert usage.completion_tokens == 15


async def test_killed_engine_ends_its_stream_and_is_started_again(ask: Asker) -> None:
    model = await ask.provider.describe(SMOL)
    body = {
        **model.defaults,
        "messages": [{"role": "user", "content": "Write a long story about the sea."}],
        "max_tokens": 2000,
    }
    await ask.provider.load(SMOL)
    before = await status_of(ask, SMOL)
    stream = ask.provider.chat(ChatRequest(SMOL, body, True, "test"))
    got = 0
    with pytest.raises(UpstreamError):
        async for _ in stream:
            got += 1
            if got == 5:
                psutil.Process(before.pid).children()[0].kill()
    assert got >= 5
    assert await ask.answer(SMOL, "hi")
    after = await status_of(ask, SMOL)
    assert (after.state, after.restarts) == ("running", before.restarts + 1)


async def test_client_that_goes_away_ends_the_generation(ask: Asker) -> None:
    model = await ask.provider.describe(SMOL)
    body = {
        **model.defaults,
        "messages": [{"role": "user", "content": "Write a long story about the sea."}],
        "max_tokens": 3000,
    }
    stream = ask.provider.chat(ChatRequest(SMOL, body, True, "test"))
    async for frame in stream:
        if FrameKind.DELTA in frame.kind:
            break
    await stream.aclose()
    status = await status_of(ask, SMOL)
    engine = psutil.Process(status.pid).children()[0]
    for _ in range(100):
        before = sum(engine.cpu_times()[:2])
        await asyncio.sleep(0.5)
        if sum(engine.cpu_times()[:2]) - before < 0.1:
            return
    raise AssertionError("the engine still works for a client that is gone")


async def test_unload_frees_the_process(ask: Asker) -> None:
    await ask.provider.load(SMOL)
    (loaded,) = [model for model in await ask.provider.ps() if model.ref == SMOL]
    assert loaded.context_length == 4096
    assert loaded.size_bytes is not None and 100e6 < loaded.size_bytes < 600e6
    assert (await ask.provider.describe(SMOL)).loaded
    status = await status_of(ask, SMOL)
    tree = [psutil.Process(status.pid), *psutil.Process(status.pid).children(recursive=True)]
    await ask.provider.unload(SMOL)
    assert SMOL not in [model.ref for model in await ask.provider.ps()]
    assert not any(process.is_running() for process in tree)
    await ask.provider.unload(SMOL)


async def test_engine_serves_venom_only_and_names_no_path(ask: Asker, real_models: Path) -> None:
    async with ask.provider.lease(SMOL) as endpoint:
        for path in ("/v1/models", "/props", "/slots", "/metrics", "/v1/chat/completions"):
            with pytest.raises(urllib.error.HTTPError) as refused:
                await asyncio.to_thread(urllib.request.urlopen, endpoint.base_url + path, None, 10)
            assert refused.value.code in (401, 404), path
            refused.value.close()
        request = urllib.request.Request(
            f"{endpoint.base_url}/v1/models", headers=dict(endpoint.headers)
        )
        body = await asyncio.to_thread(_body, request)
        assert str(real_models) not in body and SMOL in body


@pytest.mark.parametrize(
    ("name", "off", "on"),
    [
        ("max_tokens", 3, 6),
        ("stop", None, ["assist"]),
        ("presence_penalty", 0.0, 2.0),
        ("frequency_penalty", 0.0, 2.0),
        ("repeat_penalty", 1.0, 1.6),
        ("logit_bias", None, {"19556": -100}),
        ("response_format", None, {"type": "json_object"}),
    ],
)
async def test_declared_parameter_changes_the_answer(
    ask: Asker, name: str, off: Any, on: Any
) -> None:
    base = {"temperature": 0, "max_tokens": 40, "repeat_penalty": 1.0, "top_p": 1}
    question = "hi" if name in ("stop", "logit_bias", "max_tokens") else "Write a poem about rain."
    texts = [
        await ask.answer(SMOL, question, **base | ({} if value is None else {name: value}))
        for value in (off, on)
    ]
    assert texts[0] != texts[1]
    if name == "response_format":
        assert texts[1].lstrip().startswith("{")


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 0.01}, {"min_p": 1.0}])
async def test_declared_sampler_narrows_the_choice(ask: Asker, narrow: dict[str, Any]) -> None:
    wide = {"temperature": 2.0, "top_k": 0, "top_p": 1, "min_p": 0, "max_tokens": 12}
    wide |= {"repeat_penalty": 1.0}
    texts = {
        await ask.answer(SMOL, "Tell a story.", **wide | narrow, seed=seed) for seed in range(4)
    }
    assert len(texts) == 1
    free = {await ask.answer(SMOL, "Tell a story.", **wide, seed=seed) for seed in range(3)}
    assert len(free) > 1
    assert len({await ask.answer(SMOL, "Tell a story.", **wide, seed=7) for _ in range(2)}) == 1


async def test_logprobs_and_schema(ask: Asker) -> None:
    (frame,) = await ask.frames(
        SMOL, "hi", stream=False, temperature=0, logprobs=True, top_logprobs=2, max_tokens=2
    )
    content = frame.event.choices[0].logprobs["content"]
    assert len(content) == 2 and len(content[0]["top_logprobs"]) == 2
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Warsaw", "Paris"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    text = await ask.answer(
        SMOL,
        "Name a city.",
        response_format={"type": "json_schema", "json_schema": {"name": "c", "schema": schema}},
    )
    assert json.loads(text)["city"] in ("Warsaw", "Paris")


def _body(request: urllib.request.Request) -> str:
    with urllib.request.urlopen(request, None, 10) as answer:
        return str(answer.read().decode())


def _contents(frames: list[Any]) -> list[str]:
    choices = [choice for frame in frames for choice in frame.event.choices]
    return [choice.content for choice in choices if choice.content]


def _dot(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
