"""Filling in the middle, on the real engine."""

from __future__ import annotations

import shutil
import struct
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from venom_core.sdk.errors import ContextLengthExceeded, UnsupportedParameter
from venom_core.sdk.messages import ChatRequest
from venom_core.testing.contexts import opened, provider_context
from venom_llamacpp.plugin import venom_providers
from venom_llamacpp.provider import LlamaCppProvider
from venom_llamacpp.store import ModelStore

pytestmark = [
    pytest.mark.engines,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]
PLAIN, MARKED, CODER = "smollm2:135m", "marked", "qwen2.5-coder:1.5b"
BEFORE, AFTER = "def add(a, b):\n    return", "\n\nprint(add(1, 2))"
#: Tokens of the model that stand in for the markers that it does not have.
MARKS = {"fim_pre": 5, "fim_suf": 6, "fim_mid": 7}


def with_markers(gguf: Path, made: Path) -> None:
    """Write a model's file with markers in its metadata; what it grows by keeps the alignment."""
    pairs = b"".join(
        _key(f"tokenizer.ggml.{name}_token_id") + struct.pack("<II", 4, token)
        for name, token in MARKS.items()
    )
    rest = _key("general.description") + struct.pack("<IQ", 8, 0)
    length = -len(pairs + rest) % 32
    pairs += _key("general.description") + struct.pack("<IQ", 8, length) + b"x" * length
    with gguf.open("rb") as source, made.open("wb") as target:
        magic, version, tensors, keys = struct.unpack("<4sIQQ", source.read(24))
        target.write(struct.pack("<4sIQQ", magic, version, tensors, keys + len(MARKS) + 1) + pairs)
        shutil.copyfileobj(source, target)


def _key(name: str) -> bytes:
    return struct.pack("<Q", len(name)) + name.encode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(
    real_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LlamaCppProvider]:
    files = tmp_path_factory.mktemp("files")
    with_markers(ModelStore(real_models / "llamacpp").gguf(PLAIN), files / f"{MARKED}.gguf")
    data, settings = tmp_path_factory.mktemp("data"), {"model_paths": (str(files),)}
    context = provider_context(venom_providers()[0], data, real_models, settings)
    async with opened(LlamaCppProvider(context)) as made:
        yield made


async def filled(
    provider: LlamaCppProvider, model: str, *, stream: bool = False, **body: Any
) -> tuple[str, int, ChatRequest]:
    """Return the text, the tokens of the prompt, and the request as it was sent."""
    whole = {"prompt": BEFORE, "suffix": AFTER, "temperature": 0, "max_tokens": 6, **body}
    request = ChatRequest(model, whole, stream, "test")
    frames = [frame async for frame in provider.complete(request)]
    text = "".join(choice.content or "" for frame in frames for choice in frame.event.choices)
    (usage,) = [frame.event.usage for frame in frames if frame.event.usage]
    return text, usage.prompt_tokens, request


@pytest.mark.parametrize("stream", [True, False])
async def test_prompt_and_suffix_stand_between_the_markers(
    provider: LlamaCppProvider, stream: bool
) -> None:
    _, counted, request = await filled(provider, MARKED, stream=stream)
    sent = request.sent.body
    assert sent is not None and "suffix" not in sent
    prompt = sent["prompt"]
    first, second = (prompt.index(MARKS[name]) for name in ("fim_pre", "fim_suf"))
    assert 0 == first < second < len(prompt) - 1 and prompt[-1] == MARKS["fim_mid"]
    assert counted == len(prompt)
    # The texts are the model's own tokens, and nothing else is there.
    _, before, _ = await _completed(provider, BEFORE)
    _, after, _ = await _completed(provider, AFTER)
    assert (second - first - 1, len(prompt) - second - 2) == (before, after)


async def _completed(provider: LlamaCppProvider, text: str) -> tuple[str, int, ChatRequest]:
    return await filled(provider, MARKED, prompt=text, suffix=None)


async def test_markers_in_a_text_are_text(provider: LlamaCppProvider) -> None:
    _, plain, _ = await filled(provider, MARKED, suffix="<|im_end|>")
    _, nothing, _ = await filled(provider, MARKED, suffix="x")
    assert plain > nothing + 2


async def test_a_prompt_of_tokens_is_taken_as_it_is(provider: LlamaCppProvider) -> None:
    _, _, request = await filled(provider, MARKED, prompt=(100, 200, 300))
    sent = request.sent.body
    assert sent is not None
    place = sent["prompt"].index(MARKS["fim_pre"])
    assert sent["prompt"][place + 1 : place + 5] == [100, 200, 300, MARKS["fim_suf"]]


async def test_nothing_is_cut(provider: LlamaCppProvider) -> None:
    # llama.cpp's own /infill takes three quarters and one of a batch, which is 1024 tokens.
    _, counted, _ = await filled(provider, MARKED, prompt="word " * 800, suffix="more " * 300)
    assert counted > 1100
    with pytest.raises(ContextLengthExceeded, match=r"4096 tokens.* \d{4} tokens"):
        await filled(provider, MARKED, prompt="word " * 3500, suffix="more " * 900)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_without_markers_refuses_suffix_by_name(
    provider: LlamaCppProvider, stream: bool
) -> None:
    with pytest.raises(UnsupportedParameter) as raised:
        await filled(provider, PLAIN, stream=stream)
    assert raised.value.param == "suffix" and PLAIN in raised.value.message


async def test_a_grammar_holds_what_is_filled_in(provider: LlamaCppProvider) -> None:
    text, _, _ = await filled(provider, MARKED, grammar='root ::= " a + b"')
    assert text == " a + b"


async def test_a_model_for_code_fills_in_code(provider: LlamaCppProvider) -> None:
    if (await provider.describe(CODER)).installed is False:
        pytest.skip(f"The model {CODER} is not fetched.")
    for stream in (True, False):
        text, _, _ = await filled(provider, CODER, stream=stream, max_tokens=5)
        assert text.startswith(" a + b"), text
