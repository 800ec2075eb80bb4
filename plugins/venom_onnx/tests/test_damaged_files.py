"""Files that end in every place, or have any byte wrong: nothing but a refusal comes of them, and
looking costs no more than a file's structure."""

from __future__ import annotations

import io
import random
import tracemalloc
from pathlib import Path

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    embedding_folder,
    genai_folder,
    graph,
    model,
    node,
    stored,
    tensor,
)
from venom_core.sdk.errors import VenomError
from venom_core.testing.onnx import held, number, varint
from venom_onnx.folder import read_folder
from venom_onnx.onnx_file import read_onnx
from venom_onnx.protobuf import MOST_FIELDS, WINDOW

AFTER = held(25, held(1, "F") + held(7, node("Add")) + held(10, "pkg.f"))
OPSET = held(8, number(2, 17))
WHOLE = model(
    graph(
        stored("model.onnx.data"),
        tensor((4,), raw=DATA),
        tensor((2,), more=held(7, varint(300) + varint(-1)), kind=7),
        nodes=(
            node("MatMulNBits", "com.microsoft", attribute=held(1, "K") + number(3, 64)),
            node("If", attribute=held(1, "then") + held(6, graph(stored("other.data")))),
        ),
        inputs=("input_ids", "attention_mask"),
        outputs=("logits",),
        more=held(15, held(1, tensor((4,), raw=DATA)) + number(3, 4)),
    ),
    AFTER,
)


class Counted(io.BytesIO):
    """Counts the bytes that are read of it."""

    def __init__(self, data: bytes = b"") -> None:
        super().__init__(data)
        self.bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def looked_at(content: bytes) -> str | None:
    """Return the code of the refusal; None where the file may be opened."""
    try:
        read_onnx(io.BytesIO(content), len(content), "model.onnx")
    except VenomError as error:
        return error.code
    return None


def test_a_file_that_ends_anywhere() -> None:
    assert looked_at(WHOLE) is None
    # After the graph a file may end between two of its fields: what is left is a model.
    ends = [end for end in range(len(WHOLE)) if looked_at(WHOLE[:end]) is None]
    assert ends == [len(WHOLE) - len(AFTER) - len(OPSET), len(WHOLE) - len(AFTER)]
    codes = {looked_at(WHOLE[:end]) for end in range(len(WHOLE)) if end not in ends}
    assert codes == {"model_damaged"}


def test_a_file_that_is_cut_while_it_is_read() -> None:
    for end in range(len(WHOLE) - len(AFTER), len(WHOLE)):
        with pytest.raises(VenomError, match="cut short"):
            read_onnx(io.BytesIO(WHOLE[:end]), len(WHOLE), "model.onnx")


def test_a_file_of_which_any_byte_is_another() -> None:
    codes: dict[str | None, int] = {}
    for place in range(len(WHOLE)):
        for byte in (0x00, 0x01, 0x2F, 0x7F, 0x80, 0xFF, WHOLE[place] ^ 0x08, WHOLE[place] ^ 0x02):
            code = looked_at(WHOLE[:place] + bytes((byte,)) + WHOLE[place + 1 :])
            codes[code] = codes.get(code, 0) + 1
    assert set(codes) <= {None, "model_damaged", "unsafe_model", "model_not_capable"}
    assert codes["model_damaged"] > len(WHOLE)


def test_a_file_of_noise() -> None:
    chance = random.Random(20261126)
    for _ in range(2000):
        size = chance.randrange(1, 200)
        noise = chance.randbytes(size)
        assert looked_at(noise) == "model_damaged"
        at = chance.randrange(len(WHOLE))
        looked_at(WHOLE[:at] + noise + WHOLE[at:])


@pytest.mark.parametrize("name", ["model.onnx", "genai_config.json", "tokenizer_config.json"])
def test_a_folder_of_which_a_file_ends_anywhere(tmp_path: Path, name: str) -> None:
    genai_folder(tmp_path, **{"model.onnx": WHOLE, "other.data": DATA})
    assert read_folder(tmp_path).reason is None
    content = (tmp_path / name).read_bytes()
    for end in range(len(content)):
        (tmp_path / name).write_bytes(content[:end])
        reason = read_folder(tmp_path).reason
        assert reason is None or reason.code == "model_damaged"
        assert reason is not None or name == "model.onnx"


def test_an_embedding_folder_of_which_a_file_ends_anywhere(tmp_path: Path) -> None:
    embedding_folder(tmp_path)
    for name in ("config.json", "1_Pooling/config.json", "sentence_bert_config.json"):
        content = (tmp_path / name).read_bytes()
        for end in range(len(content)):
            (tmp_path / name).write_bytes(content[:end])
            reason = read_folder(tmp_path).reason
            assert reason is not None
            assert reason.code == "model_damaged"
        (tmp_path / name).write_bytes(content)
    assert read_folder(tmp_path).reason is None


def test_weights_are_not_read(tmp_path: Path) -> None:
    """A file of 4 GB, all of it weights but the beginning and the end."""
    size = 4 << 30
    head = number(1, 9)
    dims = number(1, size // 4) + number(2, 1) + held(8, "w")
    weights = varint(9 << 3 | 2) + varint(size)
    inner = len(dims) + len(weights) + size
    tail = held(11, held(1, "input_ids")) + held(12, held(1, "logits"))
    begin = varint(5 << 3 | 2) + varint(inner) + dims + weights
    whole = len(begin) + size + len(tail)
    head += varint(7 << 3 | 2) + varint(whole) + begin
    path = genai_folder(tmp_path) / "model.onnx"
    with path.open("wb") as file:
        file.write(head)
        file.seek(len(head) + size)
        file.write(tail)
    assert path.stat().st_blocks * 512 < 1 << 20, "the disk has no sparse files"
    tracemalloc.start()
    try:
        found = read_folder(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.reason is None
    assert found.outputs == ("logits",)
    assert found.size_bytes > size
    assert peak < 1 << 20


def test_of_many_tensors_the_structure_is_read_alone() -> None:
    raw = bytes(200_000)
    content = model(graph(*(tensor((50_000,), raw=raw) for _ in range(100)), inputs=("input_ids",)))
    file = Counted(content)
    read_onnx(file, len(content), "model.onnx")
    assert len(content) > 20_000_000
    assert file.bytes_read <= 102 * WINDOW


def test_a_text_is_read_from_what_is_there_already() -> None:
    content = model(graph(nodes=tuple(node("Add") for _ in range(1000))))
    file = Counted(content)
    read_onnx(file, len(content), "model.onnx")
    assert file.bytes_read < 3 * len(content)


def test_fields_are_counted_and_not_kept() -> None:
    content = model(number(3, 1) * (MOST_FIELDS + 1))
    tracemalloc.start()
    try:
        assert looked_at(content) == "model_damaged"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
