"""The provider's listings, details, loading and pulling, against the fake server."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from venom_core.sdk.errors import (
    ModelNotFound,
    StorageError,
    Unavailable,
)
from venom_core.testing.deadlines import patience
from venom_core.testing.ollama import FakeOllama, load_records
from venom_ollama.provider import OllamaProvider


def recorded(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in load_records()[name].answer.body.splitlines()]


def sent(fake: FakeOllama, path: str) -> dict[str, Any]:
    """The body of the last request to ``path``."""
    body: dict[str, Any] = [r for r in fake.requests() if r["path"] == path][-1]["body"]
    return body


def shows(fake: FakeOllama) -> list[str]:
    return [r["body"]["model"] for r in fake.requests() if r["path"] == "/api/show"]


async def test_models(provider: OllamaProvider, fake: FakeOllama) -> None:
    models = {model.ref: model for model in await provider.models()}
    installed = {ref for ref, model in models.items() if model.installed}
    assert installed == {item["name"] for item in recorded("130_tags")[0]["models"]}
    assert models["gemma3:270m"].loaded is True
    assert models["mario:latest"].loaded is False
    assert models["gemma3:270m"].capabilities == {"chat", "completion"}
    assert models["gemma3-tools:latest"].capabilities == {"chat", "completion", "tools"}
    assert models["q:latest"].capabilities is None
    proposed = models["gemma3:4b"]
    assert not proposed.installed
    assert proposed.size_bytes == 3_300_000_000


async def test_details_are_asked_for_once(provider: OllamaProvider, fake: FakeOllama) -> None:
    await provider.models()
    # Two of the recorded list were never shown: the fake answers 501, which is remembered too.
    assert sorted(shows(fake)) == sorted(m["name"] for m in recorded("130_tags")[0]["models"])
    await provider.models()
    assert len(shows(fake)) == len(recorded("130_tags")[0]["models"])


async def test_a_damaged_model_hides_no_other(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.prefer("731b_show_garbage")
    models = {model.ref: model for model in await provider.models()}
    assert models["gemma3:270m"].capabilities is None


async def test_details_that_never_come_hide_nothing(
    provider: OllamaProvider, fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("venom_ollama.provider._DETAILS_SECONDS", 0.2)
    fake.fault("/api/show", "silent", times=0)
    async with asyncio.timeout(patience(5)):
        models = {model.ref: model for model in await provider.models()}
    assert models["gemma3:270m"].capabilities is None
    fake.reset()
    models = {model.ref: model for model in await provider.models()}
    assert models["gemma3:270m"].capabilities == {"chat", "completion"}


async def test_details(provider: OllamaProvider) -> None:
    model = await provider.describe("gemma3:270m")
    assert model.context_length == 32768
    assert model.defaults["top_k"] == 64
    assert model.details["parameter_size"] == "268.10M"
    with pytest.raises(ModelNotFound) as caught:
        await provider.describe("nope")
    assert caught.value.fix == "venom pull nope"


async def test_ps(provider: OllamaProvider, fake: FakeOllama) -> None:
    (loaded,) = await provider.ps()
    assert (loaded.ref, loaded.context_length) == ("gemma3:270m", 4096)
    fake.prefer("005_get_ps_empty")
    assert await provider.ps() == []


async def test_load_and_unload(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.prefer("005_get_ps_empty")
    await provider.load("gemma3:270m")
    assert fake.requests()[-1]["answered_by"] == "200_generate_load"
    await provider.unload("gemma3:270m")
    assert sent(fake, "/api/generate") == {"model": "gemma3:270m", "keep_alive": 0}
    fake.fault("/api/generate", "status", status=404, body='{"error":"model \'nope\' not found"}')
    with pytest.raises(ModelNotFound):
        await provider.unload("nope")


async def test_an_embedding_model_is_loaded_too(provider: OllamaProvider, fake: FakeOllama) -> None:
    refusal = load_records()["462_generate_on_embed_model"].answer.body.decode()
    fake.fault("/api/generate", "status", status=400, body=refusal)
    fake.scenario("any_embed")
    await provider.load("gemma3-embed")
    assert sent(fake, "/api/embed")["input"] == ""


async def test_remove(provider: OllamaProvider, fake: FakeOllama) -> None:
    await provider.remove("gemma3-backup")
    assert fake.requests()[-1]["answered_by"] == "160_delete"
    with pytest.raises(ModelNotFound):
        await provider.remove("nope")


# Pull


async def test_pull(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("two_layer_pull")
    steps = [step async for step in provider.pull("gemma3:4b")]
    assert sent(fake, "/api/pull") == {"model": "gemma3:4b"}
    done = [step.bytes_done for step in steps]
    assert done == sorted(done)
    assert steps[-1].status == "completed"
    assert steps[-1].bytes_done == steps[-1].bytes_total == 2 * 253113024


@pytest.mark.parametrize(
    ("name", "error", "code"),
    [
        ("615_pull_unknown", ModelNotFound, "model_not_found"),
        ("634_pull_corrupt", StorageError, "digest_mismatch"),
        ("610_pull_unreachable_dns", Unavailable, "registry_unreachable"),
        ("616_pull_registry_500", Unavailable, "registry_unreachable"),
    ],
)
async def test_pull_refused(
    provider: OllamaProvider, fake: FakeOllama, name: str, error: type[Exception], code: str
) -> None:
    body = load_records()[name].answer.body.decode()
    fake.fault("/api/pull", "status", status=200, body=body)
    with pytest.raises(error) as caught:
        async for _ in provider.pull("m"):
            pass
    assert caught.value.code == code  # type: ignore[attr-defined]


async def test_leaving_a_pull_stops_it(provider: OllamaProvider, fake: FakeOllama) -> None:
    fake.scenario("any_pull")
    fake.settings(line_ms=20)
    steps = provider.pull("gemma3:4b")
    async for _ in steps:
        break
    await steps.aclose()
    entry = await asyncio.to_thread(fake.wait_for, lambda e: e["client_gone"])
    assert entry["path"] == "/api/pull"
    assert not entry["finished"]
