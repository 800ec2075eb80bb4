"""The real onnxruntime-genai on a model whose answers are known: what it honours and refuses."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from venom_core.sdk.errors import (
    ContextLengthExceeded,
    InvalidRequest,
    ModelNotCapable,
    StorageError,
    Unavailable,
    UpstreamError,
)
from venom_core.sdk.frames import FrameKind
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.provider import EngineStatus, ProviderContext
from venom_core.testing.onnx import (
    FIRST_WORD,
    PEAK,
    TOOLS_TEMPLATE,
    write_decoder,
    write_encoder,
)
from venom_core.testing.served import MUST_CALL
from venom_onnx.provider import OnnxProvider

# One provider for all: each start of an engine costs seconds on a small machine.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
#: By the last character of what is asked. Every character of Polish is two bytes or more.
ANSWERS = {
    "?": ["Zażółć", " gęślą", " jaźń."],
    "!": ["The", " sea", " was", " wide", ""],
}
#: A letter of two bytes, each a token, and then a full one.
LETTER = {ord("#"): 0xC5, 0xC5: 0xBC, 0xBC: ord("."), ord("."): 257}
SEA = FIRST_WORD + 4
TINY, BASE, CALLING = "tiny", "base", "calling"
VECTORS = [[math.sin(token + at * 7) for at in range(4)] for token in range(258)]


ContextAt = Callable[..., ProviderContext]
Make = Callable[..., OnnxProvider]


class Asker:
    def __init__(self, provider: OnnxProvider) -> None:
        self.provider = provider

    def stream(self, text: str, model: str = TINY, **body: Any) -> Any:
        whole = {"messages": [{"role": "user", "content": text}], "temperature": 0, **body}
        return self.provider.chat(ChatRequest(model, whole, True, "test"))

    async def choices(self, text: str, model: str = TINY, **body: Any) -> Any:
        whole = {"messages": [{"role": "user", "content": text}], "temperature": 0, **body}
        request = ChatRequest(model, whole, False, "test")
        (frame,) = [frame async for frame in self.provider.chat(request)]
        return frame.event

    async def answer(self, text: str, model: str = TINY, **body: Any) -> str:
        return str((await self.choices(text, model, **body)).choices[0].content)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ask(
    tmp_path_factory: pytest.TempPathFactory, context_at: ContextAt
) -> AsyncIterator[Asker]:
    home = tmp_path_factory.mktemp("home")
    store = home / "models/onnx"
    write_decoder(store / TINY, ANSWERS, context=512, follows=LETTER)
    write_decoder(store / CALLING, ANSWERS, context=4096, template=TOOLS_TEMPLATE)
    write_decoder(store / BASE, ANSWERS, context=512, template=None)
    for pooling in ("mean", "cls", "last"):
        write_encoder(store / pooling, VECTORS, pooling=pooling)
    provider = OnnxProvider(context_at(home, max_loaded=6))
    try:
        yield Asker(provider)
    finally:
        await provider.close()


async def test_streamed_and_not_are_alike_and_counted(ask: Asker) -> None:
    whole = await ask.choices("Say it?")
    assert whole.choices[0].content == "Zażółć gęślą jaźń."
    assert whole.choices[0].finish_reason == "stop"
    # <bos>, seven bytes of the question; three words of the answer.
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (8, 3)
    frames = [frame async for frame in ask.stream("Say it?")]
    assert texts(frames) == ["Zażółć", " gęślą", " jaźń."]
    assert frames[-1].event.usage == whole.usage


async def test_a_character_of_several_tokens_is_never_split(ask: Asker) -> None:
    frames = [frame async for frame in ask.stream("A letter#")]
    assert texts(frames) == ["ż", "."]
    assert frames[-1].event.usage.completion_tokens == 3
    half = await ask.choices("A letter#", max_tokens=1)  # what is no character is left out
    assert (half.choices[0].content, half.choices[0].finish_reason) == ("", "length")


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"max_tokens": 2}, "The sea"),
        ({"stop": ["sea"]}, "The "),
        ({"stop": ["a was w"]}, "The se"),  # over the border between tokens
        ({"max_tokens": 3, "logit_bias": {str(SEA): 100}}, " sea sea sea"),
    ],
    ids=["max_tokens", "stop", "stop-over-tokens", "bias"],
)
async def test_declared_parameter_changes_the_answer(
    ask: Asker, body: dict[str, Any], answer: str
) -> None:
    assert await ask.answer("Go!", **{"max_tokens": 40, **body}) == answer


async def test_a_token_can_be_forbidden(ask: Asker) -> None:
    found = await ask.answer("Go!", max_tokens=3, logit_bias={str(SEA): -100})
    assert found.startswith("The") and "sea" not in found
    with pytest.raises(InvalidRequest, match="no token 99999"):
        await ask.answer("Go!", logit_bias={"99999": 1})


@pytest.mark.parametrize("name", ["presence_penalty", "frequency_penalty"])
async def test_penalties_end_a_circle(ask: Asker, name: str) -> None:
    plain = await ask.answer("Go!", max_tokens=60)
    assert plain.count("sea") > 10
    punished = await ask.answer("Go!", max_tokens=60, **{name: 2.0})
    # Said once costs 2 with the one, each further time again with the other.
    assert (punished == plain) is (name == "presence_penalty")
    biased = {"logit_bias": {str(FIRST_WORD): PEAK - 1}, "max_tokens": 60, name: 2.0}
    assert (await ask.answer("Go!", **biased)) != plain


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 0.01}, {"min_p": 1.0}, {"top_p": 0}])
async def test_declared_sampler_narrows_the_choice(ask: Asker, narrow: dict[str, Any]) -> None:
    wide = {"temperature": 2.0, "top_k": 0, "top_p": 1, "max_tokens": 12}
    alone = {await ask.answer("Go!", **wide | narrow, seed=seed) for seed in range(4)}
    assert alone == {await ask.answer("Go!", max_tokens=12)}
    free = [await ask.answer("Go!", **wide, seed=seed) for seed in (1, 2, 3, 1)]
    assert len(set(free)) > 1 and free[0] == free[3]


async def test_repeat_penalty_changes_what_is_drawn(ask: Asker) -> None:
    body = {"temperature": 0.7, "seed": 5, "max_tokens": 30, "top_k": 0}
    assert await ask.answer("Go!", **body, repeat_penalty=9.0) != await ask.answer("Go!", **body)
    with pytest.raises(InvalidRequest, match="repeat_penalty"):
        await ask.answer("Go!", repeat_penalty=0)


async def test_logprobs_are_those_of_the_model(ask: Asker) -> None:
    event = await ask.choices("Say it?", logprobs=True, top_logprobs=2, max_tokens=2)
    content = event.choices[0].logprobs["content"]
    vocabulary = FIRST_WORD + 7
    expected = PEAK - math.log(math.exp(PEAK) + vocabulary - 1)
    assert [entry["token"] for entry in content] == ["Zażółć", " gęślą"]
    assert content[0]["logprob"] == pytest.approx(expected, abs=1e-5)
    tops = content[0]["top_logprobs"]
    assert tops[0]["token"] == "Zażółć" and tops[1]["logprob"] == pytest.approx(expected - PEAK)


async def test_an_answer_keeps_to_a_schema(ask: Asker) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Warsaw", "Paris"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "c", "schema": schema}}
    # The model draws any byte: what it may draw is up to the schema.
    text = await ask.answer("Go!", response_format=wanted, temperature=2.0, seed=1, max_tokens=300)
    assert json.loads(text)["city"] in ("Warsaw", "Paris")
    with pytest.raises(InvalidRequest, match="schema") as refused:
        wrong = {
            "type": "json_schema",
            "json_schema": {"name": "c", "schema": {"type": "nonsense"}},
        }
        await ask.answer("Go!", response_format=wrong)
    assert refused.value.param == "response_format"


async def test_several_choices(ask: Asker) -> None:
    event = await ask.choices("Say it?", n=3)
    assert [choice.content for choice in event.choices] == ["Zażółć gęślą jaźń."] * 3
    assert event.usage.completion_tokens == 9


async def test_a_tool_is_called_and_shown_to_the_model(ask: Asker) -> None:
    event = await ask.choices("Say it?", model=CALLING, **MUST_CALL)
    (choice,) = event.choices
    (call,) = choice.tool_calls
    assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Warsaw"})
    assert choice.finish_reason == "tool_calls"
    without = await ask.choices("Say it?", model=CALLING, **{**MUST_CALL, "tool_choice": "none"})
    assert without.choices[0].content == "Zażółć gęślą jaźń."
    shown = event.usage.prompt_tokens - without.usage.prompt_tokens
    assert shown == len(json.dumps(MUST_CALL["tools"]).encode())


async def test_a_schema_of_tools_that_cannot_be_followed(ask: Asker) -> None:
    city = {"type": "object", "properties": {"city": {"type": "nonsense"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": city}}]
    with pytest.raises(InvalidRequest, match="schema") as refused:
        await ask.answer("Go!", model=CALLING, tools=tools)
    assert refused.value.param == "tools"


@pytest.mark.parametrize("name", ["functions", "echo", "made_up"])
async def test_what_it_does_not_honour_is_refused_by_name(ask: Asker, name: str) -> None:
    with pytest.raises(InvalidRequest, match=name) as refused:
        await ask.answer("Go!", **{name: ["x"]})
    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", name)


async def test_prompts_are_counted_before_they_are_computed(ask: Asker) -> None:
    with pytest.raises(ContextLengthExceeded, match=r"512 tokens.* 602 tokens"):
        await ask.answer("a" * 600 + "!")
    event = await ask.choices("a" * 400 + "!", max_tokens=400)
    assert event.choices[0].finish_reason == "length"
    assert event.usage.prompt_tokens + event.usage.completion_tokens == 512


async def test_a_completion_begins_as_the_tokenizer_says(ask: Asker) -> None:
    body = {"prompt": "Say it?", "temperature": 0}
    frames = [f async for f in ask.provider.complete(ChatRequest(BASE, body, False, "test"))]
    assert frames[0].event.choices[0].content == "Zażółć gęślą jaźń."
    assert frames[0].event.usage.prompt_tokens == 8  # with <bos>, which the text has not
    with pytest.raises(ModelNotCapable):
        await ask.answer("Say it?", BASE)
    with pytest.raises(InvalidRequest, match="token that the model does not have"):
        body = {"prompt": [1, 99_999], "temperature": 0}
        await anext(ask.provider.complete(ChatRequest(BASE, body, False, "test")))


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
async def test_vectors_are_pooled_as_the_models_files_say(ask: Asker, pooling: str) -> None:
    text = "ab"  # <bos>, a, b
    got = await ask.provider.embed(EmbedRequest(pooling, (text,), "test"))
    rows = [VECTORS[token] for token in (256, *text.encode())]
    raw = {"mean": [sum(column) / 3 for column in zip(*rows, strict=True)], "cls": rows[0],
           "last": rows[2]}[pooling]  # fmt: skip
    length = math.hypot(*raw)
    assert got.vectors[0] == pytest.approx([value / length for value in raw], abs=1e-6)
    assert got.prompt_tokens == 3


async def test_a_vector_is_the_same_in_any_company(ask: Asker) -> None:
    texts = ["a", "a longer one", "żółw", "a", "x" * 60] * 8
    together = (await ask.provider.embed(EmbedRequest("mean", tuple(texts), "test"))).vectors
    for text, vector in zip(texts[:5], together[:5], strict=True):
        alone = await ask.provider.embed(EmbedRequest("mean", (text,), "test"))
        assert alone.vectors[0] == pytest.approx(vector, abs=1e-7)
    assert together[:5] == together[5:10]
    with pytest.raises(ContextLengthExceeded, match="64 tokens"):
        await ask.provider.embed(EmbedRequest("mean", ("short", "x" * 64), "test"))


async def test_two_at_a_time_take_turns_and_a_third_waits(ask: Asker) -> None:
    begun = [ask.stream("Go!", max_tokens=400) for _ in range(2)]
    for stream in begun:
        await anext(stream)
    third = asyncio.create_task(ask.answer("Say it?"))
    heads = [[await anext(stream) for _ in range(5)] for stream in begun]
    assert all(texts(head) for head in heads) and not third.done()
    for stream in begun:
        await stream.aclose()
    assert await third == "Zażółć gęślą jaźń."


async def kill_in_mid_stream(ask: Asker) -> bool:
    """Kill the engine behind the fifth frame; return whether that broke off the answer, which a
    quick engine may have sent whole by then."""
    pid = (await engine_of_tiny(ask)).pid
    got = 0
    try:
        async for _ in ask.stream("Go!", max_tokens=450):
            got += 1
            if got == 5:
                psutil.Process(pid).children()[0].kill()
    except UpstreamError:
        assert got >= 5
        return True
    return False


async def engine_of_tiny(ask: Asker) -> EngineStatus:
    await ask.provider.load(TINY)
    return next(one for one in await ask.provider.engines() if one.model == TINY)


async def test_killed_engine_ends_its_stream_and_is_started_again(ask: Asker) -> None:
    for _ in range(20):
        before = await engine_of_tiny(ask)
        broken_off = await kill_in_mid_stream(ask)
        assert await ask.answer("Say it?") == "Zażółć gęślą jaźń."
        after = await engine_of_tiny(ask)
        assert (after.state, after.restarts) == ("running", before.restarts + 1)
        if broken_off:
            return
    pytest.fail("no answer was broken off")


async def test_unload_frees_the_process(ask: Asker) -> None:
    status = await engine_of_tiny(ask)
    tree = [psutil.Process(status.pid), *psutil.Process(status.pid).children(recursive=True)]
    await ask.provider.unload(TINY)
    assert TINY not in [model.ref for model in await ask.provider.ps()]
    assert not any(process.is_running() for process in tree)


# -- models that do not load -----------------------------------------------------------------


@pytest.mark.parametrize("execution_provider", ["cuda", "dml"])
@pytest.mark.parametrize("write", [write_decoder, write_encoder], ids=["decoder", "encoder"])
async def test_an_execution_provider_that_is_not_there(
    make_provider: Make, tmp_path: Path, execution_provider: str, write: Any
) -> None:
    write(tmp_path / "models/onnx" / TINY, ANSWERS if write is write_decoder else VECTORS)
    with pytest.raises(Unavailable, match=f"has no {execution_provider}") as refused:
        await make_provider(execution_provider=execution_provider).load(TINY)
    assert refused.value.code == "execution_provider_missing"


async def test_a_model_built_for_another_execution_provider(
    make_provider: Make, tmp_path: Path
) -> None:
    folder = write_decoder(tmp_path / "models/onnx" / TINY, ANSWERS)
    config = json.loads((folder / "genai_config.json").read_text())
    options = config["model"]["decoder"]["session_options"]["provider_options"]
    options.append({"cuda": {}})
    (folder / "genai_config.json").write_text(json.dumps(config))
    with pytest.raises(ModelNotCapable, match="built for cuda, and cpu is set"):
        await make_provider().load(TINY)


async def test_what_the_runtime_cannot_load_is_said_without_its_paths(
    make_provider: Make, tmp_path: Path
) -> None:
    folder = write_decoder(tmp_path / "models/onnx" / TINY, ANSWERS)
    model = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(model.replace(b"Gather", b"gather"))
    with pytest.raises(StorageError, match="cannot load the files of tiny") as refused:
        await make_provider().load(TINY)
    assert refused.value.code == "model_damaged" and str(tmp_path) not in refused.value.message


async def test_a_template_that_is_none(make_provider: Make, tmp_path: Path) -> None:
    write_decoder(tmp_path / "models/onnx" / TINY, ANSWERS, template="{% for x in %}")
    with pytest.raises(StorageError, match="chat template is none"):
        await make_provider().load(TINY)


def texts(frames: list[Any]) -> list[str]:
    choices = [choice for frame in frames if FrameKind.DELTA in frame.kind
               for choice in frame.event.choices]  # fmt: skip
    return [choice.content for choice in choices if choice.content]
