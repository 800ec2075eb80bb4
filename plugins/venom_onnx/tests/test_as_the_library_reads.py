"""Damaged files through the protocol buffers' own library too: whatever it sees of a file that may
be opened, the reader of ours has seen."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plugins.venom_onnx.tests.onnx_bytes import (
    DATA,
    graph,
    model,
    node,
    stored,
    tensor,
)
from venom_core.sdk.errors import VenomError
from venom_core.testing.onnx import held
from venom_onnx.onnx_file import _Reader
from venom_onnx.protobuf import NotProtobuf, ProtobufFile

#: Of ``onnx.proto``, what leads to a tensor, an operator or a domain; ``*`` is a repeated field.
MESSAGES = {
    "Entry": {"key": (1, "text"), "value": (2, "text")},
    "Tensor": {
        "dims": (1, "int64*"), "data_type": (2, "int32"), "raw_data": (9, "bytes"),
        "external_data": (13, "Entry*"), "data_location": (14, "int32"),
    },
    "Sparse": {"values": (1, "Tensor"), "indices": (2, "Tensor")},
    "Attribute": {
        "t": (5, "Tensor"), "g": (6, "Graph"), "tensors": (10, "Tensor*"),
        "graphs": (11, "Graph*"), "sparse_tensor": (22, "Sparse"),
        "sparse_tensors": (23, "Sparse*"),
    },
    "Node": {"op_type": (4, "text"), "attribute": (5, "Attribute*"), "domain": (7, "text")},
    "Graph": {
        "node": (1, "Node*"), "initializer": (5, "Tensor*"), "sparse_initializer": (15, "Sparse*"),
    },
    "Function": {
        "node": (7, "Node*"), "domain": (10, "text"), "attribute_proto": (11, "Attribute*"),
    },
    "Training": {"initialization": (1, "Graph"), "algorithm": (2, "Graph")},
    "Model": {
        "graph": (7, "Graph"), "training_info": (20, "Training*"), "functions": (25, "Function*"),
    },
}  # fmt: skip
_KINDS = {"int64": 3, "int32": 5, "text": 9, "bytes": 12}
_MESSAGE, _ONE, _MANY = 11, 1, 3

_INNER = graph(
    stored("d.data"), nodes=(node("Constant", attribute=held(10, stored("e.data"))), node("Op"))
)
WHOLE = model(
    graph(
        stored("a.data"),
        tensor((4,), raw=DATA),
        nodes=(
            node("MatMulNBits", "com.microsoft"),
            node("Constant", attribute=held(5, stored("c.data"))),
            node("If", attribute=held(6, _INNER)),
            node("Constant", attribute=held(22, held(1, stored("h.data")))),
            node("Other", "evil"),
        ),
        more=held(15, held(1, stored("s.data")) + held(2, tensor((1,), kind=7, raw=bytes(8)))),
    ),
    held(
        25,
        held(7, node(attribute=held(5, stored("f.data"))))
        + held(10, "pkg.f")
        + held(11, held(5, stored("g.data"))),
    )
    + held(20, held(2, graph(stored("t.data")))),
)
#: Tags and numbers written longer than they need be.
_ODD = (b"\x80\x00", b"\xba\x80\x00", b"\xba\x80\x80\x80\x00", b"\x72\x01")


class Seen(_Reader):
    """Keeps what it sees instead of refusing it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(ProtobufFile(io.BytesIO(content), len(content)), "model.onnx")
        self.domains, self.operators, self.locations = {""}, {""}, set[str]()

    def _domain(self, domain: str) -> None:
        self.domains.add(domain)

    def _operator(self, kind: str) -> None:
        self.operators.add(kind)

    def _external(self, entries: list[tuple[str, str]], needed: int | None) -> None:
        self.locations |= {value for key, value in entries if key == "location"}


def seen_by_us(content: bytes) -> Seen | None:
    """Return what our reader sees; None where it refuses the file."""
    seen = Seen(content)
    try:
        seen.model()
    except (NotProtobuf, VenomError):
        return None
    return seen


@pytest.fixture(scope="module")
def parse() -> Callable[[bytes], Any]:
    """Parse a model with the library: its message, or None where it refuses the bytes."""
    reason = "protobuf comes with onnxruntime, which is not installed"
    descriptors = pytest.importorskip("google.protobuf.descriptor_pb2", reason=reason)
    pools = pytest.importorskip("google.protobuf.descriptor_pool", reason=reason)
    factory = pytest.importorskip("google.protobuf.message_factory", reason=reason)
    errors = pytest.importorskip("google.protobuf.message", reason=reason)
    file = descriptors.FileDescriptorProto(name="onnx_part.proto", package="part", syntax="proto2")
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (place, kind) in fields.items():
            label = _MANY if kind.endswith("*") else _ONE
            kind = kind.removesuffix("*")
            if kind in _KINDS:
                message.field.add(name=field, number=place, label=label, type=_KINDS[kind])
            else:
                message.field.add(
                    name=field, number=place, label=label, type=_MESSAGE, type_name=f".part.{kind}"
                )
    pool = pools.DescriptorPool()
    pool.Add(file)
    kind_of_model = factory.GetMessageClass(pool.FindMessageTypeByName("part.Model"))

    def parse_one(content: bytes) -> Any:
        try:
            return kind_of_model.FromString(content)
        except errors.DecodeError:
            return None

    return parse_one


def walked(message: Any) -> Iterator[tuple[str, Any]]:
    """Yield every message in a message, with the name of its kind."""
    yield message.DESCRIPTOR.name, message
    for field, content in message.ListFields():
        if field.type == _MESSAGE:
            several = MESSAGES[message.DESCRIPTOR.name][field.name][1].endswith("*")
            for one in content if several else (content,):
                yield from walked(one)


def is_within(message: Any, seen: Seen) -> bool:
    """Return whether whatever the library sees was seen by us."""
    for kind, part in walked(message):
        if kind == "Node" and not (part.domain in seen.domains and part.op_type in seen.operators):
            return False
        if kind == "Entry" and part.key == "location" and part.value not in seen.locations:
            return False
    return True


def damaged(chance: random.Random, content: bytes) -> bytes:
    """Return bytes with one to four faults: other bytes, pieces twice, holes, odd numbers."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at, other = chance.randrange(len(data)), chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] = chance.randrange(256)
            case 1:
                data[at] ^= 1 << chance.randrange(8)
            case 2:
                data[other:other] = data[at : at + chance.randint(1, 60)]
            case 3:
                del data[at : at + chance.randint(1, 6)]
            case _:
                data[at:at] = chance.choice(_ODD)
    return bytes(data)


def test_of_a_whole_file_both_see_the_same(parse: Callable[[bytes], Any]) -> None:
    seen = seen_by_us(WHOLE)
    assert seen is not None
    assert seen.locations == {f"{name}.data" for name in "acdefghst"}
    assert seen.domains == {"", "com.microsoft", "evil"}
    told = [part.value for kind, part in walked(parse(WHOLE)) if kind == "Entry"]
    assert seen.locations <= set(told)
    assert is_within(parse(WHOLE), seen)
    seen.locations.remove("e.data")
    assert not is_within(parse(WHOLE), seen)


@pytest.mark.parametrize("seed", range(4))
def test_of_a_damaged_file_the_library_sees_no_more(
    parse: Callable[[bytes], Any], seed: int
) -> None:
    chance = random.Random(seed)
    both = 0
    for _ in range(3000):
        content = damaged(chance, WHOLE)
        message, seen = parse(content), seen_by_us(content)
        if message is None or seen is None:
            continue
        both += 1
        assert is_within(message, seen), content.hex()
    assert both > 100
