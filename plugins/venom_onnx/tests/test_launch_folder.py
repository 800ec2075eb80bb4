"""The folder that an engine opens: what is in it, and that it is what was looked at."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    changed,
    embedding_folder,
    genai_folder,
    graph,
    looked_at,
    model,
    stored,
)
from venom_core.sdk import model_json
from venom_core.sdk.errors import VenomError
from venom_core.testing.onnx import write_files
from venom_core.testing.safetensors import write_snapshot
from venom_onnx.folder import OnnxFolder, read_folder
from venom_onnx.launch_config import launch_folder


def written(own: Path) -> dict[str, Any]:
    config: dict[str, Any] = json.loads((own / "genai_config.json").read_bytes())
    return config


def refusal(folder: OnnxFolder, own: Path, provider: str = "cpu") -> VenomError:
    with pytest.raises(VenomError) as raised:
        launch_folder(folder, own, provider)
    assert not own.exists()
    return raised.value


@pytest.mark.parametrize("hub", [False, True], ids=["plain", "hub"])
@pytest.mark.parametrize("make", [genai_folder, embedding_folder], ids=["genai", "embedding"])
def test_links_to_what_was_looked_at_and_nothing_else(
    tmp_path: Path, make: Callable[..., Path], hub: bool
) -> None:
    path = make(tmp_path / "m", **{"evil.py": "", "tokenizer_module.json": "{}", "evil.so": ""})
    path = write_snapshot(tmp_path / "hub", path) if hub else path
    folder = looked_at(path)
    own = launch_folder(folder, tmp_path / "own", "cpu")
    there = {str(one.relative_to(own)): one.resolve() for one in own.rglob("*") if not one.is_dir()}
    config = there.pop("genai_config.json", None)
    assert (config is not None) == (folder.kind == "genai")
    assert there == {file.name: file.real for file in folder.files}
    assert all(path.is_symlink() for path in (own / name for name in there))
    assert own.stat().st_mode & 0o077 == 0


def test_the_configuration_has_only_what_is_listed(tmp_path: Path) -> None:
    config = changed(
        model__decoder__session_options={
            "enable_profiling": "/tmp/profile",
            "ep.context_file_path": "/tmp/context",
            "session.load_model_format": "ORT",
            "provider_options": [{"cuda": {"gpu_external_alloc": "1"}}],
        },
        model__decoder__run_options={"x": "y"},
        model__decoder__future={"data_file": "/etc/passwd"},
        model__mtp={"filename": "/etc/passwd"},
        model__future="/etc/passwd",
        engine={"dynamic_batching": {"num_blocks": 1 << 30}},
        search__num_beams=1000,
        search__batch_size=1 << 30,
        future="/etc/passwd",
    )
    folder = looked_at(genai_folder(tmp_path / "m", **{"genai_config.json": config}))
    found = written(launch_folder(folder, tmp_path / "own", "cuda"))
    assert set(found) == {"model", "search"}
    assert set(found["model"]) == {
        "type", "context_length", "vocab_size", "bos_token_id", "pad_token_id", "eos_token_id",
        "decoder",
    }  # fmt: skip
    decoder = found["model"]["decoder"]
    assert set(decoder) == {
        "filename", "head_size", "hidden_size", "num_attention_heads", "num_hidden_layers",
        "num_key_value_heads", "inputs", "outputs", "session_options",
    }  # fmt: skip
    assert decoder["session_options"] == {"log_id": "venom", "provider_options": [{"cuda": {}}]}
    assert set(found["search"]) == {
        "do_sample", "max_length", "past_present_share_buffer", "temperature", "top_k", "top_p",
    }  # fmt: skip
    assert "/" not in json.dumps(found)


def test_what_was_taken_over_is_as_the_model_has_it(tmp_path: Path) -> None:
    window = {"window_size": 16, "alignment": "left", "slide_inputs": False, "pad_value": -1}
    kinds = ["full_attention", "sliding_attention", "full_attention"]
    config = changed(model__decoder__sliding_window=window, model__decoder__layer_types=kinds)
    folder = looked_at(genai_folder(tmp_path / "m", **{"genai_config.json": config}))
    found = written(launch_folder(folder, tmp_path / "own", "cpu"))
    expected = config["model"]
    expected["decoder"]["session_options"] = {"log_id": "venom", "provider_options": []}
    assert found["model"] == expected


def test_no_answer_is_longer_than_the_context(tmp_path: Path) -> None:
    config = changed(search__max_length=1 << 20)
    folder = looked_at(genai_folder(tmp_path / "m", **{"genai_config.json": config}))
    found = written(launch_folder(folder, tmp_path / "own", "cpu"))
    assert found["search"]["max_length"] == 64


@pytest.mark.parametrize(
    ("built_for", "provider", "runs"),
    [
        ("cpu", "cpu", True), ("cpu", "cuda", True), ("cuda", "cuda", True),
        ("cuda", "cpu", False), ("dml", "cuda", False),
    ],
)  # fmt: skip
def test_for_another_execution_provider(
    tmp_path: Path, built_for: str, provider: str, runs: bool
) -> None:
    options = [] if built_for == "cpu" else [{built_for: {}}]
    config = changed(model__decoder__session_options={"provider_options": options})
    folder = looked_at(genai_folder(tmp_path / "m", **{"genai_config.json": config}))
    if runs:
        launch_folder(folder, tmp_path / "own", provider)
        return
    error = refusal(folder, tmp_path / "own", provider)
    assert error.code == "wrong_execution_provider"
    assert built_for in error.message
    assert f"VENOM_ONNX__EXECUTION_PROVIDER={built_for}" in (error.fix or "")


def test_a_folder_that_is_refused_is_not_launched(tmp_path: Path) -> None:
    folder = genai_folder(tmp_path / "m", **{"model.onnx": model(graph(stored("../x")))})
    assert refusal(read_folder(folder), tmp_path / "own").code == "unsafe_model"


def _longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def _other_content(path: Path) -> None:
    before = path.stat()
    path.write_bytes(bytes(before.st_size))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def _another_file(path: Path) -> None:
    before, content = path.stat(), path.read_bytes()
    path.rename(path.with_name("away"))
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _link(path: Path) -> None:
    path.rename(path.with_name("away"))
    path.symlink_to("away")


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data", "tokenizer.json"])
@pytest.mark.parametrize("change", [_longer, _other_content, _another_file, _link])
def test_a_file_that_is_another_by_now(
    tmp_path: Path, name: str, change: Callable[[Path], None]
) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    change(tmp_path / "m" / name)
    error = refusal(folder, tmp_path / "own")
    assert error.code == "model_damaged"
    assert name in error.message


def test_a_file_that_is_gone_by_now(tmp_path: Path) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    (tmp_path / "m" / "model.onnx.data").unlink()
    assert refusal(folder, tmp_path / "own").code == "model_incomplete"


def test_a_file_that_is_a_link_to_itself_by_now_is_not_read(tmp_path: Path) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    _link(tmp_path / "m" / "tokenizer.json")
    (file,) = (one for one in folder.files if one.name == "tokenizer.json")
    with pytest.raises(VenomError, match="cannot be read"):
        file.read(1 << 20)


def test_a_file_that_is_a_pipe_by_now_is_not_waited_for(tmp_path: Path) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    path = tmp_path / "m" / "tokenizer.json"
    path.unlink()
    os.mkfifo(path)
    (file,) = (one for one in folder.files if one.name == path.name)
    with pytest.raises(VenomError, match="was changed"):
        file.read(1 << 20)


@pytest.mark.parametrize(
    ("text", "words"),
    [("[]", "no object"), ("", "no object"), ("{" + "[],[]," * 20 + "}", "holds more")],
    ids=["list", "empty", "many"],
)
def test_a_tokenizer_is_read_before_a_launch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setattr(model_json, "MOST_TOKENIZER_VALUES", 20)
    folder = looked_at(genai_folder(tmp_path / "m", **{"tokenizer.json": text}))
    error = refusal(folder, tmp_path / "own")
    assert error.code == "model_damaged"
    assert words in error.message


def test_what_a_launch_left_is_removed(tmp_path: Path) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    write_files(tmp_path / "own", {"tokenizer_module.json": "{}", "old/evil.onnx": ""})
    launch_folder(folder, tmp_path / "own", "cpu")
    own = launch_folder(folder, tmp_path / "own", "cpu")
    assert not (own / "tokenizer_module.json").exists()
    assert not (own / "old").exists()
    assert (tmp_path / "m" / "model.onnx.data").read_bytes() == DATA


def test_weights_that_bear_the_name_of_another_file(tmp_path: Path) -> None:
    content = model(graph(stored("genai_config.json"), stored("tokenizer.json")))
    text = (tmp_path / "m", {"model.onnx": content})
    path = genai_folder(text[0], **text[1])
    before = (path / "genai_config.json").read_bytes()
    own = launch_folder(looked_at(path), tmp_path / "own", "cpu")
    assert not (own / "genai_config.json").is_symlink()
    assert (path / "genai_config.json").read_bytes() == before


def test_windows_without_the_right_to_make_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        error = OSError(22, "A required privilege is not held by the client")
        error.winerror = 1314
        raise error

    folder = looked_at(genai_folder(tmp_path / "m"))
    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(VenomError, match="Windows lets Venom make no link") as raised:
        launch_folder(folder, tmp_path / "own", "cpu")
    assert "developer mode" in (raised.value.fix or "")


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    folder = looked_at(genai_folder(tmp_path / "m"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(VenomError) as raised:
        launch_folder(folder, tmp_path / "file" / "own", "cpu")
    assert raised.value.code == "store_not_writable"
