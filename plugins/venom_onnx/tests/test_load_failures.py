"""The runtime's own words on models that it cannot load or run, as refusals."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from venom_core.sdk.engine_failures import load_errors, memory_errors
from venom_core.sdk.errors import StorageError, Unavailable
from venom_core.sdk.served_engine import ServedEngine
from venom_onnx.embedding_engine import EmbeddingEngine
from venom_onnx.engine import GenAiEngine
from venom_onnx.load_failures import LESS_MEMORY, check_execution_provider, check_version


@pytest.mark.parametrize(
    "error",
    [
        # As onnxruntime-genai 0.18 says it under `ulimit -v`, while loading and while generating.
        RuntimeError("Exception during initialization: std::bad_alloc"),
        RuntimeError("std::bad_alloc"),
        MemoryError(),
    ],
    ids=["loading", "generating", "python"],
)
@pytest.mark.parametrize("when", [load_errors, memory_errors])
def test_too_little_memory(error: Exception, when: Any) -> None:
    with (
        pytest.raises(Unavailable, match="not enough memory for tiny") as refused,
        when("tiny", LESS_MEMORY),
    ):
        raise error
    assert refused.value.code == "out_of_memory"
    assert refused.value.fix is not None and "VENOM_ONNX__CONTEXT_LENGTH" in refused.value.fix


def test_words_of_the_runtime_come_without_paths(capsys: pytest.CaptureFixture[str]) -> None:
    words = "Load model from /srv/a/own/model.onnx failed:Fatal error: gather is not registered"
    with pytest.raises(StorageError) as refused, load_errors("tiny", LESS_MEMORY):
        raise RuntimeError(words)
    assert refused.value.code == "model_damaged" and "/srv" not in refused.value.message
    assert "gather is not registered" in refused.value.message
    assert words in capsys.readouterr().out  # whole, in the engine's log


def test_what_is_no_lack_of_memory_stays_as_it_is() -> None:
    with pytest.raises(RuntimeError, match="something else"), memory_errors("tiny", LESS_MEMORY):
        raise RuntimeError("something else")


@pytest.mark.parametrize(
    ("distribution", "version", "tried"),
    [
        ("onnxruntime-genai", "0.18.0", True),
        ("onnxruntime-genai", "0.18.7", True),
        ("onnxruntime-genai", "0.180.0", False),
        ("onnxruntime-genai", "0.19.0", False),
        ("onnxruntime-genai", "1.18.0", False),
        ("onnxruntime", "1.31.1", True),
        ("onnxruntime", "0.18.0", False),
    ],
)
def test_versions_that_were_tried(distribution: str, version: str, tried: bool) -> None:
    if tried:
        check_version(distribution, version)
        return
    with pytest.raises(Unavailable, match=f"{version} is installed") as refused:
        check_version(distribution, version)
    assert (refused.value.code, refused.value.fix) == (
        "engine_incompatible", "venom plugins install onnx",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "module"),
    [(GenAiEngine, "onnxruntime_genai"), (EmbeddingEngine, "onnxruntime")],
)
def test_each_engine_is_asked_for_its_version_first(
    monkeypatch: pytest.MonkeyPatch, engine: type[ServedEngine], module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(__version__="9.9.9"))  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match=r"9\.9\.9 is installed"):
        engine({}).load()


@pytest.mark.parametrize("provider", ["cuda", "dml"])
def test_execution_providers_are_asked_of_the_runtime(provider: str) -> None:
    there = SimpleNamespace(is_cuda_available=lambda: True, is_dml_available=lambda: True)
    gone = SimpleNamespace(is_cuda_available=lambda: False, is_dml_available=lambda: False)
    check_execution_provider(there, provider)
    check_execution_provider(gone, "cpu")
    with pytest.raises(Unavailable, match=f"has no {provider}"):
        check_execution_provider(gone, provider)
