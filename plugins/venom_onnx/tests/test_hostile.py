"""Folders that strangers made to reach elsewhere, to take more than there is, or in haste: each is
listed with its reason."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    TEXTS,
    changed,
    embedding_folder,
    entry,
    genai_folder,
    graph,
    model,
    node,
    stored,
    tensor,
)
from venom_core.testing.onnx import held, number, varint, write_files
from venom_core.testing.safetensors import write_snapshot
from venom_onnx.folder import OnnxFolder, read_folder
from venom_onnx.onnx_file import FORBIDDEN, MOST_FILES

UNSAFE, DAMAGED, INCOMPLETE = "unsafe_model", "model_damaged", "model_incomplete"
NOT_SERVED, OTHER_PROVIDER = "model_not_capable", "wrong_execution_provider"


def refused(folder: Path, code: str, words: str) -> OnnxFolder:
    found = read_folder(folder)
    assert found.reason is not None
    assert found.reason.code == code, found.reason
    assert words in found.reason.message, found.reason
    assert found.reason.fix
    assert str(folder.parent) not in found.reason.message
    assert found.reason.message.isprintable()
    return found


def is_refused_with(folder: Path, content: bytes, code: str, words: str) -> None:
    genai_folder(folder, **{"model.onnx": content})
    refused(folder, code, words)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("../model.onnx.data", "outside"),
        ("../../../../etc/passwd", "outside"),
        ("/etc/passwd", "outside"),
        ("sub/../model.onnx.data", "outside"),
        ("..", "outside"),
        (".", "outside"),
        ("", "outside"),
        ("a//b", "outside"),
        (".//etc/passwd", "outside"),
        ("././model.onnx.data", "outside"),
        ("C:\\Windows\\win.ini", "outside"),
        ("..\\secret", "outside"),
        ("model.onnx.data:stream", "outside"),
        ("model.onnx.data\0x", "outside"),
        ("model\nonnx", "outside"),
        ("\x1b[2Jdata", "outside"),
        ("a/b/c/d/e", "outside"),
        ("x" * 256, "outside"),
        ("*/_ORT_MEM_ADDR_/*", "outside"),
        ("/_ORT_MEM_ADDR_/", "outside"),
        ("\u202edata", "outside"),
    ],
    ids=range(21),
)  # fmt: skip
def test_names_that_lead_outside(tmp_path: Path, location: str, words: str) -> None:
    write_files(tmp_path, {"model.onnx.data": DATA})
    content = model(graph(stored(location)))
    is_refused_with(tmp_path / "m", content, UNSAFE, words)


@pytest.mark.parametrize(
    "where",
    ["initializer", "sparse", "attribute", "list", "subgraph", "sparse-attribute", "function",
     "default", "training", "twice"],
)  # fmt: skip
def test_every_place_of_a_tensor_is_looked_at(tmp_path: Path, where: str) -> None:
    evil = stored("../secret")
    body = held(1, "F") + held(7, node(attribute=held(5, evil))) + held(10, "pkg.f")
    content = {
        "initializer": model(graph(evil)),
        "sparse": model(graph(more=held(15, held(1, evil)))),
        "attribute": model(graph(nodes=(node("Constant", attribute=held(5, evil)),))),
        "list": model(graph(nodes=(node("Constant", attribute=held(10, evil)),))),
        "subgraph": model(graph(nodes=(node("If", attribute=held(6, graph(evil))),))),
        "sparse-attribute": model(graph(nodes=(node(attribute=held(22, held(2, evil))),))),
        "function": model(graph(), held(25, body)),
        "default": model(graph(), held(25, held(1, "F") + held(11, held(5, evil)))),
        "training": model(graph(), held(20, held(2, graph(evil)))),
        "twice": model(graph(), held(7, graph(evil))),
    }[where]
    is_refused_with(tmp_path / "m", content, UNSAFE, "../secret")


def test_of_two_locations_neither_is_believed(tmp_path: Path) -> None:
    content = model(graph(stored("model.onnx.data", more=entry("location", "../secret"))))
    is_refused_with(tmp_path / "m", content, UNSAFE, "does not name, or in many")


def test_bytes_elsewhere_without_a_name(tmp_path: Path) -> None:
    content = model(graph(tensor((4,), more=number(14, 1))))
    is_refused_with(tmp_path / "m", content, UNSAFE, "does not name")


def test_a_name_without_its_marker_counts_all_the_same(tmp_path: Path) -> None:
    content = model(graph(tensor((4,), raw=DATA, more=entry("location", "../secret"))))
    is_refused_with(tmp_path / "m", content, UNSAFE, "../secret")


def test_a_marker_beyond_32_bits_marks_all_the_same(tmp_path: Path) -> None:
    content = model(graph(tensor((4,), raw=DATA, more=number(14, (1 << 32) + 1))))
    is_refused_with(tmp_path / "m", content, UNSAFE, "does not name")


def _link(path: Path) -> None:
    path.symlink_to("/etc/hostname")


def _hard_link(path: Path) -> None:
    (path.parent / "other").write_bytes(DATA)
    path.hardlink_to(path.parent / "other")


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


def _link_beside(path: Path) -> None:
    (path.parent / "other").write_bytes(DATA)
    path.symlink_to("other")


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_link, "is a link"),
        (_link_beside, "is a link"),
        (_circle, "is a link"),
        (_device, "is a link"),
        (_hard_link, "hard link"),
        (os.mkfifo, "no plain file"),
        (Path.mkdir, "no plain file"),
    ],
    ids=["link", "link-beside", "circle", "device", "hard-link", "pipe", "folder"],
)
def test_weights_that_are_no_file_of_the_folder(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    genai_folder(tmp_path)
    (tmp_path / "model.onnx.data").unlink()
    make(tmp_path / "model.onnx.data")
    refused(tmp_path, UNSAFE, words)


@pytest.mark.parametrize(
    "name", ["genai_config.json", "model.onnx", "tokenizer.json", "tokenizer_config.json"]
)
@pytest.mark.parametrize("make", [_link, os.mkfifo, Path.mkdir], ids=["link", "pipe", "folder"])
def test_no_file_of_it_may_be_anything_but_a_file(
    tmp_path: Path, name: str, make: Callable[[Path], None]
) -> None:
    genai_folder(tmp_path)
    (tmp_path / name).unlink()
    make(tmp_path / name)
    refused(tmp_path, UNSAFE, name)


def test_a_linked_folder_on_the_way(tmp_path: Path) -> None:
    write_files(tmp_path / "elsewhere", {"data": DATA})
    content = model(graph(stored("sub/data")))
    genai_folder(tmp_path / "m", **{"model.onnx": content})
    (tmp_path / "m" / "sub").symlink_to(tmp_path / "elsewhere")
    refused(tmp_path / "m", UNSAFE, "leads through a link")


@pytest.mark.parametrize("beside", ["refs/main", "../models--org--other/blobs/" + "e" * 64,
                                    "blobs/not-a-digest"])  # fmt: skip
def test_a_link_of_a_snapshot_leads_to_its_own_blobs_only(tmp_path: Path, beside: str) -> None:
    snapshot = write_snapshot(tmp_path, genai_folder(tmp_path / "plain"))
    write_files(snapshot.parent.parent, {beside: DATA})
    (snapshot / "model.onnx.data").unlink()
    (snapshot / "model.onnx.data").symlink_to(f"../../{beside}")
    refused(snapshot, UNSAFE, "is a link")


def test_a_blob_that_is_a_link_itself(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, genai_folder(tmp_path / "plain"))
    blob = (snapshot / "model.onnx.data").resolve()
    blob.unlink()
    blob.symlink_to("/etc/hostname")
    refused(snapshot, UNSAFE, "no plain file")


def test_links_as_the_cache_has_them_are_none_elsewhere(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, genai_folder(tmp_path / "plain"))
    moved = snapshot.parent.parent.parent / "unpacked"
    snapshot.parent.parent.rename(moved)
    refused(moved / "snapshots" / snapshot.name, UNSAFE, "is a link")


@pytest.mark.parametrize(
    ("tensor_", "code", "words"),
    [
        (stored("model.onnx.data", (5,), length="20"), DAMAGED, "has 16 bytes, and 20 are needed"),
        (stored("model.onnx.data", offset="4"), DAMAGED, "and 20 are needed"),
        (stored("model.onnx.data", offset="999999999999999"), DAMAGED, "are needed"),
        (stored("model.onnx.data", (1 << 20, 1 << 20), length=None), DAMAGED, "are needed"),
        (stored("model.onnx.data", offset="-16"), DAMAGED, "at no place"),
        (stored("model.onnx.data", offset="1" * 16), DAMAGED, "at no place"),
        (stored("model.onnx.data", offset="\u0661"), DAMAGED, "at no place"),
        (stored("model.onnx.data", length="8"), DAMAGED, "bytes of its shape"),
        (stored("model.onnx.data", length="1e9"), DAMAGED, "at no place"),
        (stored("model.onnx.data", kind=TEXTS), NOT_SERVED, "texts"),
        (stored("model.onnx.data", kind=99), DAMAGED, "no known type"),
        (stored("model.onnx.data", more=number(2, 11)), DAMAGED, "bytes of its shape"),
        (stored("nothing.data"), INCOMPLETE, "nothing.data is missing"),
        (stored("model.onnx/data"), UNSAFE, "leads through a link"),
        (tensor((5,), raw=DATA), DAMAGED, "bytes of its shape"),
        (tensor((3,), raw=DATA), DAMAGED, "bytes of its shape"),
        (tensor((1 << 40,), more=held(4, DATA)), DAMAGED, "larger than what the file has"),
        (tensor((1 << 50,), raw=DATA), DAMAGED, "size that no model has"),
        (tensor((1 << 30, 1 << 30), raw=DATA), DAMAGED, "size that no model has"),
        (tensor((-4,), raw=DATA), DAMAGED, "size that no model has"),
        (tensor((1,) * 17, raw=DATA), DAMAGED, "too many dimensions"),
        (held(1, varint(1) * 200) + number(2, 1), DAMAGED, "too many dimensions"),
        (tensor((4,), kind=0, raw=DATA), DAMAGED, "no known type"),
    ],
    ids=range(23),
)  # fmt: skip
def test_sizes_that_the_files_do_not_have(
    tmp_path: Path, tensor_: bytes, code: str, words: str
) -> None:
    is_refused_with(tmp_path / "m", model(graph(tensor_)), code, words)


def test_tensors_in_too_many_files(tmp_path: Path) -> None:
    tensors = [stored(f"{at}.data") for at in range(MOST_FILES + 1)]
    is_refused_with(tmp_path / "m", model(graph(*tensors)), DAMAGED, "too many files")


@pytest.mark.parametrize(
    "content",
    [
        graph(nodes=(node("Op", "evil.ops"),)),
        graph(nodes=(node("Op", "ai.onnx.contrib"),)),
        graph(nodes=(node("Op", "com.microsoft", more=held(7, "evil.ops")),)),
        graph(nodes=(node("If", attribute=held(6, graph(nodes=(node("Op", "evil"),)))),)),
    ],
    ids=["domain", "extensions", "twice", "nested"],
)
def test_operators_of_a_library_of_its_authors(tmp_path: Path, content: bytes) -> None:
    is_refused_with(tmp_path / "m", model(content), UNSAFE, "none is ever loaded")


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_operators_that_open_files_or_run_code(tmp_path: Path, kind: str) -> None:
    content = model(graph(nodes=(node(kind, "com.microsoft"),)))
    is_refused_with(tmp_path / "m", content, UNSAFE, kind)


def _nested(depth: int) -> bytes:
    content = graph()
    for _ in range(depth):
        content = graph(nodes=(node("If", attribute=held(6, content)),))
    return model(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no graph"),
        (b"\x80", "cut short"),
        (b"\x80" * 20, "too long"),
        (b"\xff" * 9 + b"\x7f", "too long"),
        (number(1, 9) + held(2, "x"), "no graph"),
        (b"PK\x03\x04" + bytes(40), "no ONNX file"),
        (b"GGUF" + bytes(40), "no ONNX file"),
        (b"\x3a" + varint(1 << 62), "cut short"),
        (b"\x3a" + varint((1 << 64) - 1), "cut short"),
        (b"\x02\x00", "without a number"),
        (b"\x0b\x0c", "no known type"),
        # Its library reads this tag as that of the graph: the same 32 bits.
        (varint((1 << 32) + (7 << 3 | 2)) + varint(2) + b"\x12\x00", "without a number"),
        (model(held(1, held(4, b"\xff\xfe"))), "text that is none"),
        (model(held(1, held(4, "x" * 2000))), "too long"),
        (_nested(30), "nests too deeply"),
        (model(held(12, held(1, "o")) * 5000), "more parts than any model"),
        (model(number(99, 1) * 500_000), "more parts than any model"),
    ],
    ids=range(17),
)
def test_bytes_that_are_no_onnx_file(tmp_path: Path, content: bytes, words: str) -> None:
    is_refused_with(tmp_path / "m", content, DAMAGED, words)


def _decoder(**at: Any) -> dict[str, Any]:
    return changed(**{f"model__decoder__{name}": content for name, content in at.items()})


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [
        (_decoder(session_options={"custom_ops_library": "/tmp/evil.so"}), UNSAFE, "library"),
        (_decoder(session_options={"custom_ops_library": ""}), UNSAFE, "library"),
        (_decoder(filename="../other/model.onnx"), UNSAFE, "outside"),
        (_decoder(filename="/etc/model.onnx"), UNSAFE, "outside"),
        (_decoder(filename="model.so"), NOT_SERVED, "no ONNX file"),
        (_decoder(filename=7), NOT_SERVED, "no ONNX file"),
        (_decoder(filename=...), NOT_SERVED, "no ONNX file"),
        (_decoder(filename="gone.onnx"), INCOMPLETE, "gone.onnx is missing"),
        (_decoder(head_size=0), DAMAGED, "head_size"),
        (_decoder(head_size=...), DAMAGED, "head_size"),
        (_decoder(num_hidden_layers=10**9), DAMAGED, "num_hidden_layers"),
        (_decoder(num_hidden_layers=True), DAMAGED, "num_hidden_layers"),
        (_decoder(num_hidden_layers=2.5), DAMAGED, "num_hidden_layers"),
        (_decoder(num_attention_heads=-1), DAMAGED, "num_attention_heads"),
        (_decoder(num_key_value_heads="8"), DAMAGED, "num_key_value_heads"),
        (_decoder(hidden_size=10**30), DAMAGED, "hidden_size"),
        (_decoder(inputs={"past_key_names": "past.%s.key"}), UNSAFE, "past_key_names"),
        (_decoder(inputs={"past_key_names": "past.%d.%n"}), UNSAFE, "past_key_names"),
        (_decoder(inputs={"past_key_names": "past.%1000000000d"}), UNSAFE, "past_key_names"),
        (_decoder(inputs={"past_key_names": "past"}), UNSAFE, "past_key_names"),
        (_decoder(inputs={"input_ids": "%n"}), UNSAFE, "input_ids"),
        (_decoder(inputs={"input_ids": 7}), UNSAFE, "input_ids"),
        (_decoder(inputs={"pixel_values": "x"}), NOT_SERVED, "pixel_values"),
        (_decoder(outputs={"logits": "\x1b[2J"}), UNSAFE, "logits"),
        (_decoder(layer_types=["full_attention"]), DAMAGED, "layer_types"),
        (_decoder(layer_types=[{}, {}, {}]), DAMAGED, "layer_types"),
        (_decoder(layer_types=7), DAMAGED, "layer_types"),
        (_decoder(pipeline=[{"x": {"filename": "y"}}]), NOT_SERVED, "pipeline"),
        (_decoder(shared_initializers=[{"data_file": "/etc/passwd"}]), NOT_SERVED, "shared"),
        (_decoder(sliding_window={"window_size": 0}), DAMAGED, "window_size"),
        (_decoder(sliding_window={"window_size": 8, "layers": [3]}), DAMAGED, "layers"),
        (_decoder(sliding_window={"window_size": 8, "layers": [0] * 9}), DAMAGED, "layers"),
        (_decoder(sliding_window={"window_size": 8, "alignment": "%n"}), DAMAGED, "alignment"),
        (_decoder(sliding_window={"window_size": 8, "slide_inputs": 1}), DAMAGED, "slide_inputs"),
        (changed(model__context_length=0), DAMAGED, "context_length"),
        (changed(model__context_length=1 << 31), DAMAGED, "context_length"),
        (changed(model__context_length=int("9" * 400)), DAMAGED, "context_length"),
        (changed(model__vocab_size=-1), DAMAGED, "vocab_size"),
        (changed(model__eos_token_id=[]), DAMAGED, "eos_token_id"),
        (changed(model__eos_token_id=[1] * 1000), DAMAGED, "eos_token_id"),
        (changed(model__eos_token_id=None), DAMAGED, "eos_token_id"),
        (changed(model__bos_token_id=1e3), DAMAGED, "bos_token_id"),
        (changed(model__type="../x"), DAMAGED, "type"),
        (changed(model__type=7), DAMAGED, "type"),
        (changed(model__vision={"filename": "vision.onnx"}), NOT_SERVED, "vision"),
        (changed(model__encoder={"filename": "encoder.onnx"}), NOT_SERVED, "encoder"),
        (changed(model=[]), DAMAGED, "no model"),
        (changed(model__decoder=...), DAMAGED, "no decoder"),
        (changed(search__temperature=float("nan")), DAMAGED, "temperature"),
        (changed(search__temperature=-1), DAMAGED, "temperature"),
        (changed(search__top_k=1.5), DAMAGED, "top_k"),
        (changed(search__top_p="1"), DAMAGED, "top_p"),
        (changed(search__max_length=1 << 40), DAMAGED, "max_length"),
        (changed(search__do_sample="yes"), DAMAGED, "do_sample"),
        (_decoder(session_options={"provider_options": [{"QNN": {"backend_path": "/tmp/x.so"}}]}),
         OTHER_PROVIDER, "qnn"),
        (_decoder(session_options={"provider_options": [{"x\ny": {}}]}), DAMAGED, "provider"),
    ],
    ids=range(56),
)  # fmt: skip
def test_configurations_that_no_model_has(
    tmp_path: Path, config: dict[str, Any], code: str, words: str
) -> None:
    found = refused(genai_folder(tmp_path / "m", **{"genai_config.json": config}), code, words)
    assert found.kind == "genai"


@pytest.mark.parametrize("name", ["genai_config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON file"),
        ('{"model": ', "no JSON file"),
        ("[]", "no object"),
        ("7", "no object"),
        (b"\xff\xfe\x00", "no JSON file"),
        ("[" * 50_000, "no JSON file"),
        ('{"a": [' + "1," * 200_000 + "1]}", "holds more"),
        (b" " * (8 * 1024 * 1024 + 1), "larger"),
        ('{"a": ' + "9" * 5000 + "}", "no JSON file"),
    ],
    ids=["empty", "cut", "list", "number", "no-text", "deep", "many", "large", "digits"],
)
def test_json_that_is_none_or_too_much(
    tmp_path: Path, name: str, text: str | bytes, words: str
) -> None:
    refused(genai_folder(tmp_path / "m", **{name: text}), DAMAGED, words)


@pytest.mark.parametrize("make", [genai_folder, embedding_folder], ids=["genai", "embedding"])
def test_without_a_tokenizer(tmp_path: Path, make: Callable[..., Path]) -> None:
    folder = make(tmp_path / "m")
    (folder / "tokenizer.json").unlink()
    assert not refused(folder, INCOMPLETE, "tokenizer.json").tokenizer


def test_a_tokenizer_larger_than_any(tmp_path: Path) -> None:
    folder = genai_folder(tmp_path / "m")
    os.truncate(folder / "tokenizer.json", 200 << 20)
    refused(folder, DAMAGED, "tokenizer.json is larger")


def test_a_template_that_is_no_text(tmp_path: Path) -> None:
    folder = genai_folder(tmp_path / "m", **{"chat_template.jinja": b"\xff"})
    refused(folder, DAMAGED, "no text")


@pytest.mark.parametrize(
    ("files", "code", "words"),
    [
        ({"1_Pooling/config.json": {"pooling_mode_max_tokens": True}}, NOT_SERVED, "one vector"),
        ({"1_Pooling/config.json": {"pooling_mode_mean_tokens": True,
                                    "pooling_mode_cls_token": True}}, NOT_SERVED, "one vector"),
        ({"1_Pooling/config.json": "{}"}, NOT_SERVED, "one vector"),
        ({"config.json": {"model_type": "bert", "max_position_embeddings": -1}}, DAMAGED, "length"),
        ({"config.json": {"model_type": "bert", "num_hidden_layers": 10**9}}, DAMAGED, "layers"),
        ({"config.json": {"hidden_size": 8}}, DAMAGED, "model_type"),
        ({"tokenizer_config.json": {"model_max_length": 0}}, DAMAGED, "length"),
        ({"sentence_bert_config.json": {"max_seq_length": "512"}}, DAMAGED, "length"),
        ({"modules.json": b" " * (1 << 20)}, DAMAGED, "modules.json is larger"),
    ],
    ids=range(9),
)  # fmt: skip
def test_embedding_models_that_are_none(
    tmp_path: Path, files: dict[str, Any], code: str, words: str
) -> None:
    refused(embedding_folder(tmp_path / "m", **files), code, words)


@pytest.mark.parametrize(
    ("inputs", "outputs", "words"),
    [
        (("input_ids", "past_key_values.0.key"), ("logits",), "goes on with one"),
        (("pixel_values",), ("image_embeds",), "something else"),
        ((), ("last_hidden_state",), "something else"),
        (("input_ids",), ("logits",), "no vectors"),
    ],
    ids=["language-model", "images", "nothing", "classifier"],
)
def test_graphs_that_do_not_embed(
    tmp_path: Path, inputs: tuple[str, ...], outputs: tuple[str, ...], words: str
) -> None:
    content = model(graph(tensor((4,), raw=DATA), inputs=inputs, outputs=outputs))
    folder = embedding_folder(tmp_path / "m", **{"onnx/model.onnx": content})
    refused(folder, NOT_SERVED, words)


@pytest.mark.parametrize(
    ("names", "code"),
    [([], INCOMPLETE), (["a.onnx", "onnx/b.onnx"], NOT_SERVED)],
    ids=["none", "several"],
)
def test_which_onnx_file_is_meant(tmp_path: Path, names: list[str], code: str) -> None:
    folder = embedding_folder(tmp_path / "m")
    content = (folder / "onnx" / "model.onnx").read_bytes()
    (folder / "onnx" / "model.onnx").unlink()
    write_files(folder, dict.fromkeys(names, content))
    refused(folder, code, "ONNX file")


def test_a_folder_that_is_gone_or_is_none(tmp_path: Path) -> None:
    refused(tmp_path / "gone", INCOMPLETE, "no ONNX file")
    (tmp_path / "file").write_bytes(b"")
    refused(tmp_path / "file", INCOMPLETE, "no ONNX file")
    (tmp_path / "circle").symlink_to("circle")
    assert read_folder(tmp_path / "circle").reason is not None
