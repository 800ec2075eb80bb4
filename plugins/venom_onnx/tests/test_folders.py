"""Folders that may be run: what is read of them, and where they may lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    changed,
    embedding_folder,
    genai_folder,
    graph,
    looked_at,
    model,
    node,
    stored,
    tensor,
)
from venom_core.testing.onnx import held, number, write_files
from venom_core.testing.safetensors import write_snapshot
from venom_onnx.folder import holds_model


def test_a_language_model(tmp_path: Path) -> None:
    template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    folder = looked_at(genai_folder(tmp_path, **{"chat_template.jinja": template}))
    assert folder.kind == "genai"
    assert folder.model == "model.onnx"
    assert (folder.inputs, folder.outputs) == (("input_ids",), ("logits",))
    assert folder.context_length == 64
    assert folder.chat_template == template
    assert folder.tokenizer
    assert folder.execution_provider == "cpu"
    assert folder.pooling is None
    names = {file.name for file in folder.files}
    assert names == {
        "model.onnx", "model.onnx.data", "tokenizer.json", "tokenizer_config.json",
        "chat_template.jinja",
    }  # fmt: skip
    assert folder.size_bytes == sum((tmp_path / name).stat().st_size for name in names)
    assert folder.architecture is not None
    assert folder.architecture.name == "llama"
    assert (folder.architecture.layers, folder.architecture.kv_heads) == (3, (2, 2, 2))
    assert (folder.architecture.key_length, folder.architecture.vocabulary) == (8, 32)
    size = (tmp_path / "model.onnx").stat().st_size + len(DATA)
    assert folder.architecture.weights_bytes == size
    assert folder.architecture.unknown == ()


@pytest.mark.parametrize(
    ("said", "template"),
    [
        ({"chat_template": "one"}, "one"),
        ({"chat_template": [{"name": "tool_use", "template": "no"},
                            {"name": "default", "template": "two"}]}, "two"),
        ({"chat_template": [{"name": "tool_use", "template": "no"}]}, None),
        ({"chat_template": 7}, None),
        ({}, None),
    ],
    ids=["text", "named", "no-default", "number", "none"],
)  # fmt: skip
def test_a_template_in_the_tokenizers_configuration(
    tmp_path: Path, said: dict[str, object], template: str | None
) -> None:
    folder = looked_at(genai_folder(tmp_path, **{"tokenizer_config.json": said}))
    assert folder.chat_template == template


def test_windows_of_a_model_are_in_its_numbers(tmp_path: Path) -> None:
    window = {"window_size": 16, "slide_key_value_cache": False, "layers": [0, 2]}
    config = changed(model__decoder__sliding_window=window)
    numbers = looked_at(genai_folder(tmp_path, **{"genai_config.json": config})).architecture
    assert numbers is not None
    assert (numbers.window, numbers.windowed) == (16, (True, False, True))


@pytest.mark.parametrize(
    ("options", "provider"),
    [
        ([], "cpu"),
        ([{"cuda": {"enable_cuda_graph": "0"}}], "cuda"),
        ([{"DmlExecutionProvider": {}}], "dml"),
    ],
    ids=["cpu", "cuda", "dml"],
)
def test_what_it_was_built_for(tmp_path: Path, options: list[object], provider: str) -> None:
    config = changed(model__decoder__session_options={"provider_options": options})
    folder = looked_at(genai_folder(tmp_path, **{"genai_config.json": config}))
    assert folder.execution_provider == provider


def test_a_model_that_embeds(tmp_path: Path) -> None:
    folder = looked_at(embedding_folder(tmp_path))
    assert folder.kind == "embedding"
    assert folder.model == "onnx/model.onnx"
    assert (folder.pooling, folder.normalize, folder.context_length) == ("mean", True, 256)
    assert folder.architecture is not None
    assert (folder.architecture.name, folder.architecture.layers) == ("bert", 6)
    assert {file.name for file in folder.files} >= {"1_Pooling/config.json", "config.json"}


def test_weights_lie_beside_their_model(tmp_path: Path) -> None:
    content = graph(
        stored("model.onnx_data"), inputs=("input_ids",), outputs=("last_hidden_state",)
    )
    files = {"onnx/model.onnx": model(content), "onnx/model.onnx_data": DATA}
    folder = looked_at(embedding_folder(tmp_path, **files))
    assert "onnx/model.onnx_data" in {file.name for file in folder.files}


@pytest.mark.parametrize(
    ("pooling", "outputs", "kind"),
    [
        ({"pooling_mode_cls_token": True}, "last_hidden_state", "cls"),
        ({"pooling_mode_lasttoken": True}, "token_embeddings", "last"),
        ({"pooling_mode": "mean"}, "last_hidden_state", "mean"),
        ({"pooling_mode": "lasttoken"}, "last_hidden_state", "last"),
        ({"pooling_mode_max_tokens": True}, "sentence_embedding", None),
    ],
    ids=["cls", "last", "word", "last-word", "in-the-graph"],
)
def test_how_it_pools(
    tmp_path: Path, pooling: dict[str, object], outputs: str, kind: str | None
) -> None:
    content = model(graph(tensor((4,), raw=DATA), inputs=("input_ids",), outputs=(outputs,)))
    files = {"1_Pooling/config.json": pooling, "onnx/model.onnx": content}
    assert looked_at(embedding_folder(tmp_path, **files)).pooling == kind


def test_without_the_files_of_sentence_transformers_it_takes_the_mean(tmp_path: Path) -> None:
    folder = embedding_folder(tmp_path)
    for name in ("1_Pooling/config.json", "modules.json", "sentence_bert_config.json"):
        (folder / name).unlink()
    found = looked_at(folder)
    assert (found.pooling, found.normalize, found.context_length) == ("mean", False, 512)


@pytest.mark.parametrize("make", [genai_folder, embedding_folder], ids=["genai", "embedding"])
def test_snapshots_of_the_hub_are_links_to_blobs(tmp_path: Path, make: object) -> None:
    snapshot = write_snapshot(tmp_path / "hub", make(tmp_path / "plain"))  # type: ignore[operator]
    folder = looked_at(snapshot)
    assert {file.real.parent.name for file in folder.files} == {"blobs"}


def test_a_folder_inside_a_snapshot_has_its_blobs_too(tmp_path: Path) -> None:
    genai_folder(tmp_path / "plain" / "cpu" / "int4")
    snapshot = write_snapshot(tmp_path / "hub", tmp_path / "plain")
    assert looked_at(snapshot / "cpu" / "int4").kind == "genai"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    genai_folder(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert looked_at(tmp_path / "link").path == tmp_path / "real"


@pytest.mark.parametrize(
    "content",
    [
        graph(stored("./model.onnx.data")),
        graph(stored("model.onnx.data", offset=None, length=None)),
        graph(stored("model.onnx.data", (1,), offset="12", length="4")),
        graph(stored("model.onnx.data", (0,), length="0")),
        graph(tensor((3,), kind=8, more=held(6, "a") + held(6, "b") + held(6, "c"))),
        graph(tensor((2, 3), kind=22, raw=b"123")),
        graph(nodes=(node("MatMulNBits", "com.microsoft"),)),
        graph(nodes=(node("Scan", attribute=held(1, "body") + held(6, graph())),)),
        graph(tensor((4,), more=held(4, DATA))),
        graph(more=number(99, 7) + held(15, held(1, tensor((4,), raw=DATA)))),
    ],
    ids=[
        "dot", "whole-file", "end", "empty", "texts", "four-bits", "contrib", "nested", "typed",
        "unknown-field",
    ],
)  # fmt: skip
def test_graphs_that_may_be_opened(tmp_path: Path, content: bytes) -> None:
    assert looked_at(genai_folder(tmp_path, **{"model.onnx": model(content)})).kind == "genai"


def test_functions_of_its_own_are_no_library(tmp_path: Path) -> None:
    body = held(1, "Mine") + held(7, node("Add")) + held(10, "pkg.mine")
    content = model(graph(nodes=(node("Mine", "pkg.mine"),)), held(25, body))
    unused = held(8, held(1, "pkg.onnxscript.torch_lib") + number(2, 1))
    assert looked_at(genai_folder(tmp_path, **{"model.onnx": content + unused})).kind == "genai"


def test_what_is_worth_looking_at(tmp_path: Path) -> None:
    assert holds_model(genai_folder(tmp_path / "a"))
    assert holds_model(embedding_folder(tmp_path / "b"))
    assert holds_model(write_files(tmp_path / "c", {"genai_config.json": "broken"}))
    assert not holds_model(write_files(tmp_path / "d", {"model.onnx": b""}))
    assert not holds_model(write_files(tmp_path / "e", {"config.json": "{}", "x.safetensors": b""}))
    assert not holds_model(tmp_path / "none")
