"""Try what the real runtime takes and what it refuses: containment stands on this, and it is tried
again when the runtime changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    changed,
    embedding_folder,
    genai_folder,
    model,
    stored,
    value,
)
from venom_core.testing.onnx import held, number, varint, write_files
from venom_core.testing.safetensors import write_snapshot
from venom_onnx.folder import read_folder
from venom_onnx.launch_config import launch_folder

REASON = "onnxruntime is not installed"


@pytest.fixture(scope="module")
def opened() -> Callable[[Path], str]:
    """Open an ONNX file with the runtime: its words where it refuses, else an empty text."""
    runtime = pytest.importorskip("onnxruntime", reason=REASON)
    runtime.set_default_logger_severity(4)

    def open_one(path: Path) -> str:
        try:
            runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:
            return str(error)
        return ""

    return open_one


def adding(given: str, made: str, tensor: bytes) -> bytes:
    """Return a graph that the runtime can run: ``made`` is ``given`` and ``w`` added."""
    node = held(1, given) + held(1, "w") + held(2, made) + held(4, "Add")
    parts = held(1, node) + held(2, "graph") + held(5, tensor)
    return parts + held(11, value(given)) + held(12, value(made))


def one(folder: Path, location: str = "w.data", offset: str = "0") -> Path:
    content = model(adding("x", "y", stored(location, offset=offset)))
    return write_files(folder, {"model.onnx": content}) / "model.onnx"


@pytest.mark.parametrize("hub", [False, True], ids=["plain", "hub"])
@pytest.mark.parametrize("kind", ["genai", "embedding"])
def test_it_takes_a_launched_folder(
    tmp_path: Path, opened: Callable[[Path], str], kind: str, hub: bool
) -> None:
    if kind == "genai":
        content = model(adding("input_ids", "logits", stored("model.onnx.data")))
        path = genai_folder(tmp_path / "m", **{"model.onnx": content})
    else:
        content = model(adding("input_ids", "last_hidden_state", stored("w.data")))
        files = {"onnx/model.onnx": content, "onnx/w.data": DATA}
        path = embedding_folder(tmp_path / "m", **files)
    folder = read_folder(write_snapshot(tmp_path / "hub", path) if hub else path)
    assert folder.reason is None
    own = launch_folder(folder, tmp_path / "own", "cpu")
    assert opened(own / folder.model) == ""
    if kind == "genai":
        genai = pytest.importorskip("onnxruntime_genai", reason=REASON)
        assert genai.Model(str(own)).type == "llama"


@pytest.mark.parametrize(
    ("location", "offset", "words"),
    [
        ("../w.data", "0", "escapes model directory"),
        ("/w.data", "0", "Absolute path"),
        ("link.data", "0", "escapes model directory"),
        ("w.data", "4", "out of bounds"),
    ],
    ids=["up", "absolute", "link", "beyond"],
)
def test_it_refuses_what_is_refused_here_too(
    tmp_path: Path, opened: Callable[[Path], str], location: str, offset: str, words: str
) -> None:
    write_files(tmp_path, {"w.data": DATA, "m/w.data": DATA})
    path = one(tmp_path / "m", location, offset)
    (tmp_path / "m" / "link.data").symlink_to(tmp_path / "w.data")
    assert words in opened(path)


def test_it_takes_hard_links_which_are_refused_here(
    tmp_path: Path, opened: Callable[[Path], str]
) -> None:
    write_files(tmp_path, {"secret": DATA})
    path = one(tmp_path / "m")
    (tmp_path / "m" / "w.data").hardlink_to(tmp_path / "secret")
    assert opened(path) == ""


def test_it_reads_32_bits_of_a_tag(tmp_path: Path, opened: Callable[[Path], str]) -> None:
    """A reader that went on after such a tag would not see the graph that is opened."""
    content = adding("x", "y", stored("w.data"))
    tag = varint((1 << 32) + (7 << 3 | 2))
    data = number(1, 9) + tag + varint(len(content)) + content + held(8, number(2, 17))
    write_files(tmp_path, {"model.onnx": data, "w.data": DATA})
    assert opened(tmp_path / "model.onnx") == ""


def _loads(folder: Path) -> str:
    genai = pytest.importorskip("onnxruntime_genai", reason=REASON)
    try:
        genai.Model(str(folder))
    except Exception as error:
        return str(error)
    return ""


def test_it_loads_a_library_that_a_model_brings(tmp_path: Path) -> None:
    options: dict[str, Any] = {"custom_ops_library": "evil.so", "provider_options": []}
    config = changed(model__decoder__session_options=options)
    content = model(adding("input_ids", "logits", stored("model.onnx.data")))
    files = {"genai_config.json": json.dumps(config), "model.onnx": content, "evil.so": "none"}
    assert "Failed to load library" in _loads(genai_folder(tmp_path / "m", **files))


@pytest.mark.parametrize(
    ("filename", "words"),
    [("/model.onnx", "relative path"), ("../model.onnx", "path traversal")],
    ids=["absolute", "up"],
)
def test_its_model_lies_in_the_folder_that_is_opened(
    tmp_path: Path, filename: str, words: str
) -> None:
    config = json.dumps(changed(model__decoder__filename=filename))
    assert words in _loads(genai_folder(tmp_path / "m", **{"genai_config.json": config}))
