"""The contents of the cache, and what a removal frees."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest

from plugins.venom_hf.tests.conftest import FILES, REPO, Opened, gguf, halves, pulled, tensors
from venom_core.sdk.errors import ModelNotFound
from venom_core.sdk.hub_files import default_cache
from venom_core.testing.hub import FakeHub
from venom_hf.cache import HubCache

COMMIT = "a" * 40


def plant(cache: Path, files: dict[str, bytes], *, commit: str = COMMIT, ref: str | None = "main",
          repo: str = REPO) -> Path:  # fmt: skip
    """A repository as another program left it, without blobs of its own."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    for name, data in files.items():
        path = folder / "snapshots" / commit / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    if ref:
        (folder / "refs").mkdir(exist_ok=True)
        (folder / "refs" / ref).write_text(commit)
    return folder


def refs(cache: Path) -> list[str]:
    return [str(held.ref) for held in HubCache(cache).held()]


def test_nothing_there(cache: Path) -> None:
    assert refs(cache) == []
    cache.mkdir()
    (cache / "models--org--x").mkdir()
    (cache / "datasets--org--x").mkdir()
    (cache / "version.txt").write_text("1")
    assert refs(cache) == []


def test_a_half_fetched_model_is_not_listed(cache: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors",
                            "b": "model-00002-of-00002.safetensors"}}  # fmt: skip
    files = {"model.safetensors.index.json": json.dumps(index).encode(),
             "model-00001-of-00002.safetensors": b"x"}  # fmt: skip
    plant(cache, files)
    assert refs(cache) == []
    plant(cache, {"model-00002-of-00002.safetensors": b"x"})
    assert refs(cache) == [REPO]


def test_parts_without_an_index(cache: Path) -> None:
    plant(cache, {"model-00001-of-00002.safetensors": b"x"})
    assert refs(cache) == []
    plant(cache, {"model-00002-of-00002.safetensors": b"x"})
    assert refs(cache) == [REPO]


def test_a_model_of_pickles_is_not_listed(cache: Path) -> None:
    plant(cache, {"pytorch_model.bin": b"x", "config.json": b"{}"})
    assert refs(cache) == []


def test_revisions_have_names(cache: Path) -> None:
    plant(cache, {"model.safetensors": b"x"})
    plant(cache, {"model.safetensors": b"y"}, commit="b" * 40, ref="v1")
    plant(cache, {"model.safetensors": b"z"}, commit="c" * 40, ref=None)
    assert refs(cache) == [REPO, f"{REPO}@{'c' * 40}", f"{REPO}@v1"]


def test_where_the_library_has_its_cache(tmp_path: Path) -> None:
    assert default_cache({"HF_HUB_CACHE": "/a"}) == Path("/a")
    assert default_cache({"HF_HOME": "/b"}) == Path("/b/hub")
    assert default_cache({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert default_cache({}) == Path("~/.cache/huggingface/hub").expanduser()


def disk(cache: Path) -> int:
    return sum(path.stat().st_size for path in cache.rglob("blobs/*") if path.is_file())


def found(root: Path, pattern: str) -> list[Path]:
    return sorted(root.rglob(pattern))


async def test_removing_frees_the_blobs(hub: FakeHub, opened: Opened, cache: Path) -> None:
    hub.add(REPO, {**FILES, "model.safetensors": tensors(50_000)})
    async with opened() as provider:
        await pulled(provider)
        assert disk(cache) > 50_000
        await provider.remove(REPO)
        assert await provider.models() == []
        assert disk(cache) == 0 and not (cache / "models--org--tiny").exists()
        with pytest.raises(ModelNotFound):
            await provider.remove(REPO)


async def test_what_another_revision_uses_stays(hub: FakeHub, opened: Opened, cache: Path) -> None:
    shared, old, new = tensors(9000), tensors(5000, 1), tensors(7000, 2)
    hub.add(REPO, {"model-00001-of-00002.safetensors": shared,
                   "model-00002-of-00002.safetensors": old}, revision="v1")  # fmt: skip
    hub.add(REPO, {"model-00001-of-00002.safetensors": shared,
                   "model-00002-of-00002.safetensors": new})  # fmt: skip
    async with opened() as provider:
        await pulled(provider, f"{REPO}@v1")
        await pulled(provider)
        assert disk(cache) == len(shared) + len(old) + len(new)
        await provider.remove(f"{REPO}@v1")
        assert [model.ref for model in await provider.models()] == [REPO]
    assert disk(cache) == len(shared) + len(new)


async def test_one_quantization_of_two(hub: FakeHub, opened: Opened, cache: Path) -> None:
    small, large = gguf(4000), gguf(9000)
    hub.add(REPO, {"m-Q4_K_M.gguf": small, "m-Q8_0.gguf": large})
    async with opened() as provider:
        await pulled(provider, f"{REPO}:Q4_K_M")
        await pulled(provider, f"{REPO}:Q8_0")
        await provider.remove(f"{REPO}:q8_0")
        assert [model.ref for model in await provider.models()] == [f"{REPO}:Q4_K_M"]
        assert disk(cache) == len(small)
        await provider.remove(f"{REPO}:Q4_K_M")
    assert disk(cache) == 0


async def test_removing_leaves_another_s_half_alone(
    hub: FakeHub, opened: Opened, cache: Path
) -> None:
    hub.add(REPO, {"m-Q4_K_M.gguf": gguf(4000)})
    async with opened() as provider:
        await pulled(provider)
        half = cache / "models--org--tiny" / "blobs" / "x.incomplete"
        half.write_bytes(b"x" * 100)
        await provider.remove(f"{REPO}:Q4_K_M")
        assert await provider.models() == []
    assert disk(cache) == 100 and half.exists()


async def test_a_pull_is_planned(hub: FakeHub, opened: Opened, cache: Path) -> None:
    hub.add(REPO, {"m-Q4_K_M.gguf": gguf(4000), "m-Q8_0.gguf": gguf(9000)})
    async with opened() as provider:
        plan = await provider.plan_pull(f"hf.co/{REPO}")
        assert (plan.ref, plan.bytes_total, plan.bytes_here, plan.folder) == (
            f"{REPO}:Q4_K_M", 4004, 0, cache,
        )  # fmt: skip
        await pulled(provider)
        assert (await provider.plan_pull(REPO)).bytes_here == 4004
        with pytest.raises(ModelNotFound):
            await provider.plan_pull("org/nothing")


async def test_a_cancelled_pull_leaves_nothing(
    hub: FakeHub, opened: Opened, cache: Path, tmp_path: Path
) -> None:
    """Whole files of it, the half one and its names go; what another model uses stays."""
    shared, first, second = tensors(9000), tensors(5000, 1), tensors(900_000, 2)
    hub.add(REPO, {"model-00001-of-00002.safetensors": shared,
                   "model-00002-of-00002.safetensors": first}, revision="v1")  # fmt: skip
    hub.add(REPO, {"model-00001-of-00002.safetensors": shared, "config.json": b"{}",
                   "model-00002-of-00002.safetensors": second})  # fmt: skip
    hub.pace = 400_000
    async with opened() as provider:
        await pulled(provider, f"{REPO}@v1")
        before = found(cache, "blobs/*")
        async with contextlib.aclosing(provider.pull(REPO)) as steps:
            async for step in steps:
                if step.bytes_done > 150_000:
                    break
        assert halves(cache)
        await provider.forget_pull(REPO)
        assert found(cache, "blobs/*") == before
        assert [model.ref for model in await provider.models()] == [f"{REPO}@v1"]
        assert len(found(cache, "snapshots/*")) == 1
        await provider.forget_pull(REPO)
        assert not found(tmp_path, "pulls/*")
        hub.pace = None
        await pulled(provider)
        assert not found(tmp_path, "pulls/*")
        await provider.forget_pull(REPO)  # nothing was left behind by one that ended
        assert [model.ref for model in await provider.models()] == [REPO, f"{REPO}@v1"]


async def test_a_cancel_that_comes_too_late_takes_nothing(
    hub: FakeHub, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended between the last file and its note: the model is whole, and stays."""
    monkeypatch.setattr("venom_hf.unfinished_pulls.UnfinishedPulls.forget", lambda self, ref: None)
    hub.add(REPO, FILES)
    async with opened() as provider:
        await pulled(provider)
        await provider.forget_pull(REPO)
        (model,) = await provider.models()
    assert model.size_bytes == sum(map(len, FILES.values()))


def test_each_model_of_one_commit_is_another_artefact(cache: Path) -> None:
    plant(cache, {
        "model.safetensors": b"x", "a-Q4_K_M-00001-of-00002.gguf": b"x",
        "a-Q4_K_M-00002-of-00002.gguf": b"x", "a-Q8_0.gguf": b"x",
    })  # fmt: skip
    digests = {held.ref.label: held.digest for held in HubCache(cache).held()}
    assert digests == {
        None: f"commit:{COMMIT}",
        "Q4_K_M": f"commit:{COMMIT}#Q4_K_M",
        "Q8_0": f"commit:{COMMIT}#Q8_0",
    }
