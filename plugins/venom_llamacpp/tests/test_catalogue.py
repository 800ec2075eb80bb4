"""The manifest, the built-in models and what listings say of all three shelves."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.disk import safe_name
from venom_core.sdk.errors import (
    EngineMissing,
    ModelNotCapable,
    ModelNotFound,
    NotSupported,
    StorageError,
    UnsupportedParameter,
)
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.deadlines import patience
from venom_llamacpp import provider as provider_module
from venom_llamacpp.catalogue import BUILT_IN, GEMMA_BASE, TEMPLATES
from venom_llamacpp.plugin import PARAMETERS, venom_providers
from venom_llamacpp.provider import LlamaCppProvider
from venom_llamacpp.store import ModelStore

MakeProvider = Callable[..., LlamaCppProvider]
CHAT = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "llama.context_length": 1024,
    "tokenizer.chat_template": "{{ x }}",
}


async def drain(frames: Any) -> None:
    async for _ in frames:
        pass


def request(model: str, **body: Any) -> ChatRequest:
    return ChatRequest(model, {"prompt": "x", **body}, False, "r")


def test_manifest_and_provider_import_no_engine() -> None:
    program = (
        "import sys, venom_llamacpp.plugin, venom_llamacpp.provider;"
        "heavy = {'xllamacpp', 'numpy', 'httpx', 'aiohttp', 'psutil', 'fastapi'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=patience(60),
    )
    assert done.stdout.strip() == "[]"


def test_what_is_declared_exists() -> None:
    spec = venom_providers()[0]
    module, _, name = spec.factory.partition(":")
    assert module == LlamaCppProvider.__module__ and name == LlamaCppProvider.__name__
    for capability in spec.capabilities:
        own = getattr(LlamaCppProvider, capability.value)
        assert own is not getattr(LlamaCppProvider.__mro__[2], capability.value), capability
    for setting in spec.settings:
        if setting.minimum is not None:
            assert isinstance(setting.default, int)
            assert setting.minimum <= setting.default <= (setting.maximum or setting.default)
    assert "echo" not in PARAMETERS


def test_built_in_models_say_what_they_are() -> None:
    coders = {"qwen2.5-coder:0.5b", "qwen2.5-coder:1.5b"}
    assert set(BUILT_IN) == {"gemma3-270m-base", "smollm2:135m", *coders}
    for entry in BUILT_IN.values():
        assert len(entry.sha256) == 64 and entry.size_bytes > 90_000_000
        assert entry.summary and entry.license
        assert ("tools" in entry.capabilities) is (entry.ref in coders)
        assert "vision" not in entry.capabilities
        assert all("==" in requirement for requirement in entry.source.requirements)
        assert set(entry.defaults) <= PARAMETERS
    assert not GEMMA_BASE.instruct and GEMMA_BASE.allowed_roles == ("user", "assistant")
    assert GEMMA_BASE.terms_url == "https://ai.google.dev/gemma/terms"


def test_template_is_the_one_that_was_tried() -> None:
    template = (TEMPLATES / (GEMMA_BASE.template or "")).read_bytes()
    assert hashlib.sha256(template).hexdigest() == (
        "56510ebef9804c0e3ff53d453b596d65797355dfcc5e4bb7cce79b042b2bedf7"
    )
    for answer in (b"Warsaw", b"Berlin", b"Tokyo", b"Jupiter", b"Shakespeare", b"Madrid"):
        assert answer not in template


async def test_listing_shows_all_shelves_without_the_engine(
    make_provider: MakeProvider, tmp_path: Path, gguf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "engine_version", lambda: None)
    folder = tmp_path / "my models" / "deep"
    folder.mkdir(parents=True)
    (folder / "chat tiny.gguf").write_bytes(gguf(CHAT))
    (folder / "base.gguf").write_bytes(gguf({"general.architecture": "llama"}))
    (folder / "embed.gguf").write_bytes(
        gguf({"general.architecture": "bert", "bert.pooling_type": 1, "bert.context_length": 512})
    )
    (folder / "mmproj-x.gguf").write_bytes(gguf(CHAT))
    (folder / "broken.gguf").write_bytes(b"GGUF?")
    (folder / "big-00001-of-00002.gguf").write_bytes(gguf(CHAT))
    (folder / "big-00002-of-00002.gguf").write_bytes(gguf(CHAT))
    same_name = tmp_path / "base.gguf"
    same_name.write_bytes(gguf(CHAT))
    provider = make_provider(
        model_paths=(str(tmp_path / "my models"), str(same_name), "/no/such/place")
    )
    await provider.open()
    health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE
    assert health.reason is not None and health.reason.code == "engine_missing"
    assert health.reason.fix == "venom plugins install llamacpp"
    models = {model.ref: model for model in await provider.models()}
    assert set(models) == {
        *BUILT_IN, "chat-tiny", "base", "base-2", "embed", "big",
    }  # fmt: skip
    assert not models["smollm2:135m"].installed and models["chat-tiny"].installed
    assert models["chat-tiny"].capabilities == {"chat", "completion", "embedding"}
    assert models["base"].capabilities == {"completion", "embedding"}
    assert models["base"].instruct is False and models["chat-tiny"].instruct is True
    assert models["embed"].capabilities == {"embedding"}
    assert models["chat-tiny"].context_length == 1024
    assert models["base"].context_length == 4096
    assert not any(str(tmp_path) in repr(model) for model in models.values())
    with pytest.raises(EngineMissing):
        await provider.load("chat-tiny")


async def test_refusals_name_what_to_do(
    make_provider: MakeProvider, tmp_path: Path, gguf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_module, "engine_version", lambda: "1")
    (tmp_path / "mine.gguf").write_bytes(gguf({"general.architecture": "llama"}))
    provider = make_provider(model_paths=(str(tmp_path / "mine.gguf"),))
    with pytest.raises(ModelNotFound) as not_fetched:
        await provider.load("smollm2:135m")
    parts = tmp_path / "parts"
    parts.mkdir()
    (parts / "big-00001-of-00005.gguf").write_bytes(gguf({"general.architecture": "llama"}))
    with pytest.raises(StorageError) as in_parts:
        await make_provider(model_paths=(str(parts),)).load("big")
    assert "big-00002-of-00005.gguf" in in_parts.value.message and in_parts.value.fix
    assert "4 of them" in in_parts.value.message and str(tmp_path) not in in_parts.value.message
    assert not_fetched.value.fix == "Fetch it with: venom pull smollm2:135m"
    with pytest.raises(ModelNotFound):
        await provider.describe("nobody")
    with pytest.raises(ModelNotFound):
        await drain(provider.pull("nobody"))
    with pytest.raises(ModelNotFound):
        await provider.remove("smollm2:135m")
    with pytest.raises(NotSupported):
        await provider.remove("mine")
    with pytest.raises(ModelNotCapable):
        await drain(provider.chat(ChatRequest("mine", {"messages": []}, False, "r")))
    for parameter in ({"top_logprobs": 2}, {"response_format": {"type": "json_object"}}):
        with pytest.raises(UnsupportedParameter) as refused:
            await drain(provider.complete(request("mine", **parameter)))
        assert refused.value.param in parameter
    (tmp_path / "mine.gguf").write_bytes(
        gguf({"general.architecture": "bert", "bert.pooling_type": 1})
    )
    with pytest.raises(ModelNotCapable):
        await drain(provider.complete(request("mine")))
    with pytest.raises(ModelNotFound):
        await provider.embed(EmbedRequest("nobody", ("x",), "r"))


def test_store_shows_whole_models_only(tmp_path: Path) -> None:
    store = ModelStore(tmp_path / "llamacpp")
    assert store.list() == ()
    folder = store.temporary("a:b")
    (folder / "model").write_bytes(b"12345")
    stored = store.publish("a:b", folder / "model", "f" * 64, {"name": "x"})
    assert [item.ref for item in store.list()] == ["a:b"]
    assert store.find("a:b") == stored and store.find("a/b") is None
    stored.path.write_bytes(b"1234")
    assert store.list() == ()
    stored.path.unlink()
    assert store.find("a:b") is None
    store.gguf("x").with_suffix(".json").write_text("[]")
    assert store.list() == ()
    store.remove("a:b")
    store.remove("a:b")


@pytest.mark.parametrize(
    "ref", ["hf.co/a/b:Q4", "..", "../../etc/passwd", "a\\b", "/abs", ".hidden", "a\0b", "C:x"]
)
def test_names_stay_inside_the_store(tmp_path: Path, ref: str) -> None:
    path = ModelStore(tmp_path).gguf(ref)
    assert path.parent == tmp_path and path.resolve().is_relative_to(tmp_path)
    assert not path.name.startswith(".") or len(path.name) > 8
    assert safe_name(ref) != safe_name(ref + "-") != safe_name(ref + "--")


async def test_what_the_hugging_face_cache_holds_is_served_too(
    make_provider: Any, tmp_path: Path, gguf: Any
) -> None:
    """Whoever fetched it: its layout is the library's, a link by name to a blob by digest."""
    cache = tmp_path / "hub"
    folder = cache / "models--org--tiny-GGUF"
    snapshot = folder / "snapshots" / ("c" * 40)
    snapshot.mkdir(parents=True)
    (folder / "blobs").mkdir()
    blob = folder / "blobs" / ("d" * 64)
    blob.write_bytes(gguf({"general.architecture": "llama", "llama.context_length": 512}))
    (folder / "blobs" / ("e" * 64)).write_bytes(b"half of another")
    (snapshot / "tiny-Q4_K_M.gguf").symlink_to(blob)
    (snapshot / "mmproj-tiny-f16.gguf").symlink_to(blob)
    provider = make_provider(hub_cache=str(cache))
    found = {item.ref: item for item in await provider.models() if item.installed}
    assert set(found) == {"hf.co/org/tiny-GGUF:Q4_K_M"}
    (served,) = found.values()
    assert served.digest == f"sha256:{'d' * 64}"
    assert served.details["source"] == "Hugging Face cache"
    with pytest.raises(NotSupported):
        await provider.remove(served.ref)
    assert blob.exists()
