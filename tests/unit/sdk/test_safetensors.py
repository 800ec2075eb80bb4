"""Weights of strangers: headers that are wrong in every place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.errors import VenomError
from venom_core.sdk.safetensors import check_weights
from venom_core.testing.onnx import write_files as write
from venom_core.testing.safetensors import write_snapshot

INDEX = "model.safetensors.index.json"


def tensor(begin: int, end: int, shape: list[Any], kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


def safetensors(header: object, data: bytes = bytes(16), length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


GOOD = {
    "__metadata__": {"format": "pt"},
    "b": tensor(8, 16, [2, 2], "BF16"),
    "a": tensor(0, 8, [2]),
    "empty": tensor(16, 16, [0, 4]),
}


def refusal(folder: Path) -> VenomError:
    with pytest.raises(VenomError) as raised:
        check_weights(folder)
    return raised.value


def test_whole_files(tmp_path: Path) -> None:
    write(tmp_path, {"model.safetensors": safetensors(GOOD), "other.safetensors": b"broken"})
    assert [file.name for file in check_weights(tmp_path)] == ["model.safetensors"]


def test_parts_that_an_index_names(tmp_path: Path) -> None:
    parts = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    index = {"weight_map": {"a": parts[1], "b": parts[0], "c": parts[0]}}
    write(tmp_path, {INDEX: index, **dict.fromkeys(parts, safetensors(GOOD))})
    assert tuple(file.name for file in check_weights(tmp_path)) == parts
    (tmp_path / parts[1]).unlink()
    assert refusal(tmp_path).code == "model_incomplete"


def test_weights_in_the_cache_are_links(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", {"model.safetensors": safetensors(GOOD)})
    snapshot = write_snapshot(tmp_path / "hub", plain)
    assert len(check_weights(snapshot)) == 1


@pytest.mark.parametrize(
    ("index", "code"),
    [
        ({"weight_map": {"a": "../model.safetensors"}}, "unsafe_model"),
        ({"weight_map": {"a": "/etc/x.safetensors"}}, "unsafe_model"),
        ({"weight_map": {"a": "pytorch_model.bin"}}, "unsafe_model"),
        ({"weight_map": {"a": 7}}, "model_damaged"),
        ({"weight_map": {}}, "model_damaged"),
        ({"weight_map": []}, "model_damaged"),
        ({}, "model_damaged"),
        ({"weight_map": {str(at): f"{at}.safetensors" for at in range(1001)}}, "model_damaged"),
    ],
    ids=range(8),
)
def test_an_index_that_names_something_else(tmp_path: Path, index: object, code: str) -> None:
    write(tmp_path / "m", {INDEX: json.dumps(index)})
    assert refusal(tmp_path / "m").code == code


def test_without_weights(tmp_path: Path) -> None:
    write(tmp_path, {"pytorch_model.bin": b"\x80\x02"})
    assert refusal(tmp_path).code == "model_incomplete"


def test_a_link_in_their_place(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to("/etc/hostname")
    assert refusal(tmp_path).code == "unsafe_model"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "longer than the file"),
        (b"\x02", "longer than the file"),
        (safetensors(GOOD, length=10**6), "longer than the file"),
        (safetensors(GOOD, length=(1 << 64) - 1), "longer than the file"),
        (safetensors(b" " * (9 << 20)), "longer than the file"),
        (safetensors(b""), "no JSON"),
        (safetensors(b"\xff"), "no JSON"),
        (safetensors(b"[" * 100_000), "no JSON"),
        (safetensors(b"{" + b'"a":[1,1],' * 200_000 + b"}"), "holds more"),
        (safetensors([]), "no object"),
        (safetensors({"a": 7}), "no known type"),
        (safetensors({"a": tensor(0, 16, [4], "F128")}), "no known type"),
        (safetensors({"a": tensor(0, 16, [8])}), "bytes of its shape"),
        (safetensors({"a": tensor(16, 0, [4])}), "bytes of its shape"),
        (safetensors({"a": tensor(0, 16, [-2, -2])}), "shape"),
        (safetensors({"a": tensor(0, 16, [1.5])}), "shape"),
        (safetensors({"a": tensor(0, 16, [1] * 17)}), "too many dimensions"),
        (safetensors({"a": {"dtype": "F32", "shape": [4]}}), "at no place"),
        (safetensors({"a": tensor(-16, 0, [4])}), "data_offsets"),
        (safetensors({"a": tensor(0, 1 << 60, [1 << 58])}), "data_offsets"),
        (safetensors({"a": tensor(0, 8, [2]), "b": tensor(4, 12, [2])}), "overlap"),
        (safetensors({"a": tensor(4, 16, [3])}), "leave room"),
        (safetensors({"a": tensor(0, 8, [2])}), "take 8 bytes, and it has 16"),
        (safetensors({"a": tensor(0, 32, [8])}), "take 32 bytes, and it has 16"),
    ],
    ids=range(24),
)
def test_headers_that_do_not_fit(tmp_path: Path, content: bytes, words: str) -> None:
    error = refusal(write(tmp_path, {"model.safetensors": content}))
    assert error.code == "model_damaged"
    assert words in error.message


def test_a_file_that_ends_anywhere(tmp_path: Path) -> None:
    content = safetensors(GOOD)
    for end in range(len(content)):
        write(tmp_path, {"model.safetensors": content[:end]})
        assert refusal(tmp_path).code == "model_damaged"
