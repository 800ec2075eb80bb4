"""The user's own GGUF files wherever and however they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from venom_core.testing.gguf import gguf_bytes
from venom_llamacpp.files import LocalFiles

HEADER = gguf_bytes({"general.architecture": "llama", "llama.context_length": 4096})


def put(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(HEADER)
    return path


def listed(place: Path) -> dict[str, Path]:
    return {file.ref: file.path for file in LocalFiles([str(place)]).list()}


def test_sub_folders_are_looked_into(tmp_path: Path) -> None:
    put(tmp_path / "publisher" / "repository" / "quants" / "a" / "b" / "deep.gguf")
    assert set(listed(tmp_path)) == {"deep"}


def test_circles_end_and_list_each_file_once(tmp_path: Path) -> None:
    one = put(tmp_path / "a" / "one.gguf")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "self.gguf").symlink_to(tmp_path / "a" / "self.gguf")
    (tmp_path / "gone.gguf").symlink_to("nowhere")
    (tmp_path / "two.gguf").symlink_to(one)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.gguf")
    assert listed(tmp_path) == {"one": one}


@pytest.mark.parametrize(
    ("file", "ref"),
    [
        ("модель.gguf", "модель"), ("模型-7B-Q4_K_M.gguf", "模型-7B-Q4_K_M"), ("日本.GGUF", "日本"),
        ("żółw.gguf", "żółw"),
        ("z\u0307o\u0301lw.gguf", "żólw"), ("my model (1).gguf", "my-model-1"),
        ("🦙.gguf", "model"),
    ],
)  # fmt: skip
def test_names_keep_their_letters(tmp_path: Path, file: str, ref: str) -> None:
    put(tmp_path / file)
    assert set(listed(tmp_path)) == {ref}


def test_parts_are_one_model_of_their_whole_size(tmp_path: Path) -> None:
    for part in (1, 2, 3):
        put(tmp_path / f"big-{part:05}-of-00003.gguf")
    (file,) = LocalFiles([str(tmp_path)]).list()
    assert (file.ref, file.header.size_bytes) == ("big", 3 * len(HEADER))


def test_a_model_in_parts_has_the_size_of_all_and_says_which_are_missing(tmp_path: Path) -> None:
    names = [f"big-{part:05}-of-00003.gguf" for part in (1, 2, 3)]
    for name in names:
        put(tmp_path / name)
    files = LocalFiles([str(tmp_path)])
    (whole,) = files.list()
    assert (whole.ref, whole.missing) == ("big", ())
    assert whole.header.size_bytes == 3 * len(HEADER)
    (tmp_path / names[1]).unlink()
    (cut,) = files.list()
    assert (cut.ref, cut.missing) == ("big", (names[1],))
    assert cut.header.size_bytes == 2 * len(HEADER)
    (tmp_path / names[0]).unlink()
    assert files.list() == (), "what a part alone is nobody knows"


@pytest.mark.parametrize(
    "facts",
    [
        {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"},
        {"general.architecture": "clip", "clip.has_vision_encoder": True},
        {"general.architecture": "qwen2vl", "general.type": "mmproj"},
        {"general.architecture": "llama", "general.type": "imatrix"},
        {"general.architecture": "llama", "general.type": "something new"},
    ],
)
def test_a_file_that_holds_no_model_is_no_model(
    tmp_path: Path, facts: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "model.gguf")
    (tmp_path / "other.gguf").write_bytes(gguf_bytes(facts))
    assert set(listed(tmp_path)) == {"model"}
    assert "other.gguf is no usable GGUF file: it holds" in caplog.text
