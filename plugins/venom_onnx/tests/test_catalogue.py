"""Folders of models: found in three places, named, and listed with the reason where not run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from venom_core.sdk.errors import (
    EngineMissing,
    ModelNotCapable,
    ModelNotFound,
    NotSupported,
    StorageError,
)
from venom_core.sdk.messages import ChatRequest, EmbedRequest
from venom_core.sdk.provider import Model
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.onnx import write_decoder, write_encoder
from venom_onnx import provider as provider_module
from venom_onnx.provider import OnnxProvider

Make = Callable[..., OnnxProvider]
ANSWERS = {"?": ["Warsaw", " it", " is"]}
COMMIT = "c" * 40


async def listed(provider: OnnxProvider) -> dict[str, Model]:
    return {model.ref: model for model in await provider.models()}


def snapshot(home: Path, inside: str = ".") -> Path:
    """A repository of the Hub's cache with one decoder, its files links to blobs."""
    repository = home / "cache/models--org--name"
    folder = repository / "snapshots" / COMMIT / inside
    plain = write_decoder(home / "plain", ANSWERS)
    for at, path in enumerate(sorted(plain.iterdir())):
        blob = repository / "blobs" / f"{at:064x}"
        blob.parent.mkdir(parents=True, exist_ok=True)
        path.rename(blob)
        link = folder / path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(COMMIT)
    return folder


async def test_three_places(make_provider: Make, tmp_path: Path) -> None:
    write_decoder(tmp_path / "models/onnx/built", ANSWERS, context=512)
    write_decoder(tmp_path / "own/deep/mine", ANSWERS, template=None)
    write_encoder(tmp_path / "own/vectors", [[1.0, 2.0]] * 258)
    snapshot(tmp_path)
    found = await listed(make_provider(model_paths=(str(tmp_path / "own"),)))
    assert {ref: sorted(model.capabilities or ()) for ref, model in found.items()} == {
        "built": ["chat", "completion"],
        "mine": ["completion"],
        "vectors": ["embedding"],
        "hf.co/org/name": ["chat", "completion"],
    }
    assert found["built"].context_length == 512 and found["built"].type == "onnx"
    assert found["built"].identity == str(tmp_path / "models/onnx/built")
    assert found["hf.co/org/name"].identity == f"commit:{COMMIT}"
    assert found["hf.co/org/name"].details["source"] == "Hugging Face cache"


async def test_one_of_several_in_a_repository(make_provider: Make, tmp_path: Path) -> None:
    snapshot(tmp_path, "cpu/int4")
    found = await listed(make_provider())
    assert list(found) == ["hf.co/org/name:cpu.int4"]
    (model,) = found.values()
    assert model.details.get("reason") is None
    assert model.identity == f"commit:{COMMIT}#cpu.int4"  # the folder is not the whole commit


async def test_two_of_one_name_and_one_place_named_twice(
    make_provider: Make, tmp_path: Path
) -> None:
    for parent in ("a", "b"):
        write_decoder(tmp_path / parent / "same", ANSWERS)
    (tmp_path / "a/loop").symlink_to(tmp_path / "a")
    places = (str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "a/same"))
    assert list(await listed(make_provider(model_paths=places))) == ["same", "same-2"]


async def test_what_cannot_be_run_is_listed_with_its_reason(
    make_provider: Make, tmp_path: Path
) -> None:
    folder = write_decoder(tmp_path / "models/onnx/halved", ANSWERS)
    (folder / "tokenizer.json").unlink()
    provider = make_provider()
    model = (await listed(provider))["halved"]
    assert model.capabilities == frozenset()
    assert model.details["reason"]["code"] == "model_incomplete"
    assert model.summary == "The folder has no tokenizer.json."
    for answer in (
        provider.embed(EmbedRequest("halved", ("a",), "test")),
        provider.load("halved"),
        anext(provider.chat(ChatRequest("halved", {"messages": []}, False, "test"))),
    ):
        with pytest.raises(StorageError, match=r"no tokenizer\.json"):
            await answer


async def test_a_folder_is_read_again_only_when_it_changed(
    make_provider: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_decoder(tmp_path / "models/onnx/built", ANSWERS)
    read: list[Path] = []
    whole = provider_module.Catalogue.__init__.__globals__["read_folder"]
    monkeypatch.setattr(
        "venom_onnx.catalogue.read_folder", lambda path: (read.append(path), whole(path))[1]
    )
    provider = make_provider()
    for _ in range(3):
        await listed(provider)
    assert len(read) == 1
    (folder / "chat_template.jinja").unlink()
    assert (await listed(provider))["built"].capabilities == {"completion"}
    assert len(read) == 2


@pytest.mark.parametrize(
    ("search", "defaults"),
    [
        ({}, {"temperature": 0.0}),
        ({"do_sample": False, "top_k": 5}, {"temperature": 0.0}),
        (
            {"do_sample": True, "temperature": 0.7, "top_k": 64, "repetition_penalty": 1.5},
            {"temperature": 0.7, "top_k": 64, "repeat_penalty": 1.5},
        ),
    ],
)
async def test_the_models_own_sampling(
    make_provider: Make, tmp_path: Path, search: dict[str, float], defaults: dict[str, float]
) -> None:
    write_decoder(tmp_path / "models/onnx/built", ANSWERS, search=search)
    assert (await make_provider().describe("built")).defaults == defaults


async def test_memory_counts_a_cache_for_each_request(make_provider: Make, tmp_path: Path) -> None:
    write_decoder(tmp_path / "models/onnx/built", ANSWERS, context=1024)
    model = await make_provider(parallel=3, context_length=300).describe("built")
    plan = model.memory_plan
    assert plan is not None and (plan.context_length, plan.parallel) == (300, 3)
    assert model.architecture is not None and not model.architecture.unknown


async def test_only_what_lies_in_the_store_is_removed(make_provider: Make, tmp_path: Path) -> None:
    write_decoder(tmp_path / "models/onnx/built", ANSWERS)
    own = write_decoder(tmp_path / "own/mine", ANSWERS)
    provider = make_provider(model_paths=(str(own),))
    with pytest.raises(NotSupported):
        await provider.remove("mine")
    await provider.remove("built")
    assert list(await listed(provider)) == ["mine"]
    assert own.exists() and not (tmp_path / "models/onnx/built").exists()
    with pytest.raises(ModelNotFound):
        await provider.remove("built")


async def test_without_the_engine_models_are_listed_and_not_run(
    make_provider: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_decoder(tmp_path / "models/onnx/built", ANSWERS)
    monkeypatch.setattr(provider_module, "engine_version", lambda: None)
    provider = make_provider()
    health = await provider.health()
    assert health.status is ProviderStatus.UNAVAILABLE and health.reason is not None
    assert health.reason.code == "engine_missing" and list(await listed(provider)) == ["built"]
    with pytest.raises(EngineMissing):
        await provider.load("built")


async def test_a_model_is_asked_only_what_it_can_do(make_provider: Make, tmp_path: Path) -> None:
    write_decoder(tmp_path / "models/onnx/base", ANSWERS, template=None)
    provider = make_provider()
    body = {"messages": [{"role": "user", "content": "Hi?"}]}
    with pytest.raises(ModelNotCapable, match="has no chat"):
        await anext(provider.chat(ChatRequest("base", body, False, "test")))
    with pytest.raises(ModelNotCapable, match="has no embedding"):
        await provider.embed(EmbedRequest("base", ("a",), "test"))
