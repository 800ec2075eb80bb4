"""One cache folder of Hugging Face, seen by source and runtime: one name, one identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.provider import Model, Provider, ProviderContext
from venom_core.sdk.spec import ProviderSpec
from venom_core.testing.contexts import provider_context
from venom_core.testing.gguf import gguf_bytes
from venom_hf.plugin import venom_providers as hf_providers
from venom_hf.provider import HuggingFaceProvider
from venom_llamacpp.plugin import venom_providers as llamacpp_providers
from venom_llamacpp.provider import LlamaCppProvider

COMMIT, OLD = "c" * 40, "a" * 40
FACTS = {"general.architecture": "llama", "llama.context_length": 512}


def plant(cache: Path, name: str, *, commit: str = COMMIT, sha256: str | None = None) -> None:
    """A file as the library leaves it: a link to its blob; without a digest, a copy."""
    folder = cache / "models--org--tiny"
    pointer = folder / "snapshots" / commit / name
    pointer.parent.mkdir(parents=True, exist_ok=True)
    if sha256 is None:
        pointer.write_bytes(gguf_bytes(FACTS))
    else:
        (folder / "blobs").mkdir(exist_ok=True)
        (folder / "blobs" / sha256).write_bytes(gguf_bytes(FACTS))
        pointer.symlink_to(folder / "blobs" / sha256)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(COMMIT)


async def both(tmp_path: Path, cache: Path) -> tuple[dict[str, Model], dict[str, Model]]:
    """Return what each lists, by label."""
    hf = context(hf_providers()[0], tmp_path, cache_dir=str(cache))
    llamacpp = context(llamacpp_providers()[0], tmp_path, hub_cache=str(cache))
    found = []
    for provider in (HuggingFaceProvider(hf), LlamaCppProvider(llamacpp)):
        found.append(await labels(provider))
        await provider.close()
    return found[0], found[1]


async def labels(provider: Provider) -> dict[str, Model]:
    models = [model for model in await provider.models() if model.installed]
    return {model.ref.removeprefix("hf.co/").removeprefix("org/tiny:"): model for model in models}


def context(spec: ProviderSpec, tmp_path: Path, **settings: Any) -> ProviderContext:
    return provider_context(spec, tmp_path / "data", tmp_path / "models", settings)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("tiny-f16.gguf", "F16"), ("tiny-q8_0.gguf", "Q8_0"), ("tiny-Q4_K_M.gguf", "Q4_K_M"),
        ("tiny-UD-Q4_K_XL.gguf", "Q4_K_XL"), ("Q2-tiny-bf16.GGUF", "BF16"),
        ("sub/tiny-iq2_xxs.gguf", "IQ2_XXS"), ("tiny.gguf", "tiny"), ("my tiny!.gguf", "my-tiny-"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sha256", [None, "e" * 64])
async def test_both_say_the_same_name_of_one_file(
    tmp_path: Path, name: str, label: str, sha256: str | None
) -> None:
    plant(tmp_path / "hub", name, sha256=sha256)
    source, runtime = await both(tmp_path, tmp_path / "hub")
    assert set(source) == set(runtime) == {label}
    assert source[label].identity == runtime[label].identity is not None


async def test_both_see_whole_models_only(tmp_path: Path) -> None:
    cache = tmp_path / "hub"
    plant(cache, "tiny-Q4_0-00001-of-00002.gguf")
    plant(cache, "mmproj-tiny-f16.gguf")
    assert await both(tmp_path, cache) == ({}, {})
    plant(cache, "tiny-Q4_0-00002-of-00002.gguf")
    source, runtime = await both(tmp_path, cache)
    assert source["Q4_0"].identity == runtime["Q4_0"].identity == f"commit:{COMMIT}#Q4_0"


async def test_the_runtime_takes_the_main_branchs_file_of_two_commits(tmp_path: Path) -> None:
    cache = tmp_path / "hub"
    plant(cache, "tiny-Q4_0.gguf", commit=OLD, sha256="1" * 64)
    plant(cache, "tiny-Q4_0.gguf", sha256="2" * 64)
    plant(cache, "tiny-Q4_0.gguf", commit="d" * 40, sha256="3" * 64)
    source, runtime = await both(tmp_path, cache)
    assert runtime["Q4_0"].identity == source["Q4_0"].identity == f"sha256:{'2' * 64}"
    assert set(source) == {"Q4_0", f"Q4_0@{OLD}", f"Q4_0@{'d' * 40}"}
