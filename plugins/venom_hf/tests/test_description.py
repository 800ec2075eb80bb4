"""The description of a model before it is fetched, and after."""

from __future__ import annotations

import json

import pytest

from plugins.venom_hf.tests.conftest import REPO, Opened, gguf, pulled, tensors
from venom_core.sdk.errors import InvalidRequest, ModelNotFound
from venom_core.testing.hub import TOKEN, FakeHub

CONFIG = {
    "model_type": "llama", "num_hidden_layers": 4, "num_attention_heads": 8, "hidden_size": 256,
    "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 2048,
}  # fmt: skip
FILES = {"config.json": json.dumps(CONFIG).encode(), "model.safetensors": tensors(5000)}


async def test_before_it_is_fetched(hub: FakeHub, opened: Opened) -> None:
    commit = hub.add(REPO, FILES, cardData={"license": "mit"}, downloads=7)
    async with opened() as provider:
        model = await provider.describe(REPO)
    assert (model.ref, model.type, model.installed, model.license) == (REPO, "folder", False, "mit")
    assert model.size_bytes == sum(map(len, FILES.values()))
    assert (model.details["commit"], model.details["downloads"]) == (commit, 7)
    assert model.architecture is not None
    assert (model.architecture.layers, model.context_length) == (4, 2048)
    assert model.architecture.weights_bytes == len(FILES["model.safetensors"])
    assert not hub.asked("storage")


async def test_afterwards_without_a_network(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, FILES)
    async with opened() as provider:
        await pulled(provider)
    hub.seen.clear()
    async with opened(offline=True) as provider:
        model = await provider.describe(REPO)
    assert (model.installed, model.context_length) == (True, 2048)
    assert hub.seen == []


async def test_one_gguf(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, {"m-Q4_K_M.gguf": gguf(400), "m-Q8_0.gguf": gguf(900)})
    async with opened() as provider:
        model = await provider.describe(f"hf.co/{REPO}:q8_0")
        assert (await provider.describe(REPO)).ref == f"{REPO}:Q4_K_M"
    assert (model.ref, model.type, model.size_bytes) == (f"{REPO}:Q8_0", "gguf", 904)


@pytest.mark.parametrize("config", [b"[]", b"{", b'{"model_type": "x", "num_hidden_layers": -3}',
                                    b"[" * 100_000, b"\xff\xfe"])  # fmt: skip
async def test_a_configuration_that_is_none(hub: FakeHub, opened: Opened, config: bytes) -> None:
    hub.add(REPO, {**FILES, "config.json": config})
    async with opened() as provider:
        model = await provider.describe(REPO)
    assert (model.architecture, model.context_length) == (None, None)


async def test_terms_hide_the_numbers_and_not_the_card(hub: FakeHub, opened: Opened) -> None:
    hub.add(REPO, FILES, gated="auto")
    async with opened() as provider:
        model = await provider.describe(REPO)
    assert model.architecture is None and model.terms_url == f"{hub.url}/{REPO}"
    hub.accepts.add(REPO)
    async with opened(token=TOKEN) as provider:
        assert (await provider.describe(REPO)).context_length == 2048


async def test_nothing_to_describe(hub: FakeHub, opened: Opened) -> None:
    hub.add("org/pickled", {"model.bin": b"x"})
    async with opened() as provider:
        with pytest.raises(ModelNotFound):
            await provider.describe("org/nothing")
        with pytest.raises(InvalidRequest):
            await provider.describe("org/pickled")
