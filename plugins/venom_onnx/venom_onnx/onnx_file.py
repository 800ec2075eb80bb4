"""Read from an ONNX file the files that it names, the operators that it needs, and its sizes.

Done before any runtime sees it. Source of the field numbers: ``onnx.proto3`` of ONNX 1.19. A field
that is there twice is looked at twice, whichever of them a runtime would take.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from venom_core.sdk.model_refusals import damaged, not_served, shown, unsafe
from venom_onnx.protobuf import BYTES, Field, Message, NotProtobuf, ProtobufFile

#: Bits of one element by TensorProto.DataType; texts (8) have no size of their own.
_BITS = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64,
    15: 128, 16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4, 24: 8, 25: 2, 26: 2,
}  # fmt: skip
_TEXTS = 8
_EXTERNAL = 1
MOST_ELEMENTS = 1 << 46
MOST_FILES = 64
MOST_NAMES = 4096
MOST_DIMENSIONS = 16
_LONGEST = 1024
_MOST_32 = (1 << 32) - 1
#: What a number takes at least where a tensor holds its numbers one by one: two of four bits.
_NUMBERS_A_BYTE = 64

#: Domains of the runtime itself. Any other needs a library of its author's.
DOMAINS = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"}
)
#: Operators of these domains that open files or run code from elsewhere.
FORBIDDEN = frozenset(
    {"EPContext", "Snpe", "ATen", "ATenGrad", "PythonOp", "PythonOpGrad", "TritonOp"}
)


@dataclass(slots=True)
class OnnxGraph:
    """The needs of one file. ``files`` maps each other file's name to the end of what is used."""

    files: dict[str, int] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


def read_onnx(file: BinaryIO, size: int, name: str) -> OnnxGraph:
    """Read what an ONNX file says.

    Args:
        name: the file's, for the sentence.

    Raises the refusal where it may not be opened, and ``OSError``.
    """
    reader = _Reader(ProtobufFile(file, size), shown(name))
    try:
        reader.model()
    except NotProtobuf as error:
        raise damaged(f"{shown(name)} is no ONNX file, or is cut short: {error}.") from error
    return reader.found


class _Reader:
    def __init__(self, file: ProtobufFile, name: str) -> None:
        self._file = file
        self._name = name
        self.found = OnnxGraph()
        self._domains = set(DOMAINS)

    def model(self) -> None:
        seen_graph = False
        for part in self._messages(self._file.root):
            if part.number == 25:  # functions that the file itself defines have domains of theirs
                self._domains |= set(self._texts(part.place, 10))
        for part in self._messages(self._file.root):
            if part.number == 7:
                seen_graph = True
                self._graph(part.place, top=True)
            elif part.number == 20:  # training: an initialisation and an algorithm, both graphs
                for inner in self._messages(part.place):
                    if inner.number in (1, 2):
                        self._graph(inner.place)
            elif part.number == 25:
                self._function(part.place)
        if not seen_graph:
            raise NotProtobuf("it has no graph")

    def _messages(self, message: Message) -> Iterator[Field]:
        return (part for part in self._file.fields(message) if part.wire == BYTES)

    def _graph(self, graph: Message, *, top: bool = False) -> None:
        inputs, outputs = list(self.found.inputs), list(self.found.outputs)
        for part in self._messages(graph):
            if part.number == 1:
                self._node(part.place)
            elif part.number == 5:
                self._tensor(part.place)
            elif part.number == 15:
                self._sparse(part.place)
            elif top and part.number in (11, 12):
                (inputs if part.number == 11 else outputs).extend(self._texts(part.place, 1))
                if len(inputs) + len(outputs) > MOST_NAMES:
                    raise NotProtobuf("it has more parts than any model")
        if top:
            self.found.inputs, self.found.outputs = tuple(inputs), tuple(outputs)

    def _texts(self, message: Message, number: int) -> list[str]:
        places = [part.place for part in self._messages(message) if part.number == number]
        return [self._file.text(place, _LONGEST) for place in places]

    def _function(self, function: Message) -> None:
        for part in self._messages(function):
            if part.number == 7:
                self._node(part.place)
            elif part.number == 11:
                self._attribute(part.place)

    def _node(self, node: Message) -> None:
        for part in self._messages(node):
            if part.number == 4:
                self._operator(self._file.text(part.place, _LONGEST))
            elif part.number == 7:
                self._domain(self._file.text(part.place, _LONGEST))
            elif part.number == 5:
                self._attribute(part.place)

    def _domain(self, domain: str) -> None:
        if domain not in self._domains:
            raise unsafe(
                f"{self._name} needs operators of {shown(domain)}, a library of its author's; "
                "none is ever loaded."
            )

    def _operator(self, kind: str) -> None:
        if kind in FORBIDDEN:
            raise unsafe(f"{self._name} has an operator that opens files or runs code: {kind}")

    def _attribute(self, attribute: Message) -> None:
        for part in self._messages(attribute):
            if part.number in (5, 10):
                self._tensor(part.place)
            elif part.number in (6, 11):
                self._graph(part.place)
            elif part.number in (22, 23):
                self._sparse(part.place)

    def _sparse(self, sparse: Message) -> None:
        for part in self._messages(sparse):
            if part.number in (1, 2):
                self._tensor(part.place)

    def _tensor(self, tensor: Message) -> None:
        dimensions: list[int] = []
        kinds: set[int] = set()
        external = False
        raws: list[int] = []
        entries: list[tuple[str, str]] = []
        for part in self._file.fields(tensor):
            if part.number == 1:
                dimensions += self._numbers(part)
            elif part.number == 2:
                kinds.add(part.value & _MOST_32)
            elif part.number == 9 and part.wire == BYTES:
                raws.append(part.place.size)
            elif part.number == 13 and part.wire == BYTES:
                entries.append(self._entry(part.place))
            elif part.number == 14:
                external = external or part.value & _MOST_32 == _EXTERNAL
        for kind in kinds or {0}:
            needed = _needed(dimensions, kind)
            if external or entries:
                self._external(entries, needed)
            elif needed is not None:
                _check_held(needed, raws, tensor.size)

    def _numbers(self, part: Field) -> list[int]:
        """Return one number, or those of a packed field; how many a file has is counted."""
        return list(self._file.varints(part.place)) if part.wire == BYTES else [part.value]

    def _entry(self, entry: Message) -> tuple[str, str]:
        key = value = ""
        for part in self._messages(entry):
            if part.number == 1:
                key = self._file.text(part.place, _LONGEST)
            elif part.number == 2:
                value = self._file.text(part.place, _LONGEST)
        return key, value

    def _external(self, entries: list[tuple[str, str]], needed: int | None) -> None:
        """Remember where a tensor lies. Where a key is there twice, both must be safe."""
        locations = {value for key, value in entries if key == "location"}
        if len(locations) != 1:
            raise unsafe(f"{self._name} has a tensor in a file that it does not name, or in many.")
        if needed is None:
            raise not_served(f"{self._name} has a tensor of texts in another file.")
        offset = max([0, *(_count(value) for key, value in entries if key == "offset")])
        lengths = [_count(value) for key, value in entries if key == "length"]
        if any(length != needed for length in lengths):
            raise NotProtobuf("a tensor in another file does not have the bytes of its shape")
        location = locations.pop().removeprefix("./")
        if location not in self.found.files and len(self.found.files) >= MOST_FILES:
            raise NotProtobuf("its tensors lie in too many files")
        end = max(self.found.files.get(location, 0), offset + needed)
        self.found.files[location] = end


def _needed(dimensions: list[int], kind: int) -> int | None:
    """Return the bytes of a tensor by its shape; None for texts, which have none."""
    if len(dimensions) > MOST_DIMENSIONS:
        raise NotProtobuf("a tensor has too many dimensions")
    count = 1
    for size in dimensions:
        count *= size
        if size > MOST_ELEMENTS or count > MOST_ELEMENTS:
            raise NotProtobuf("a tensor has a size that no model has")
    if kind == _TEXTS:
        return None
    if kind not in _BITS:
        raise NotProtobuf("a tensor is of no known type")
    return -(-count * _BITS[kind] // 8)


def _check_held(needed: int, raws: list[int], size: int) -> None:
    """Raise ``NotProtobuf`` where a tensor's shape needs more, or less, than the file has for it.

    Args:
        raws: the lengths of its bytes, where it is held as such.
        size: of all that the file says of it.
    """
    if any(raw != needed for raw in raws):
        raise NotProtobuf("a tensor does not have the bytes of its shape")
    if not raws and needed > _NUMBERS_A_BYTE * size:
        raise NotProtobuf("a tensor's shape is larger than what the file has for it")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise NotProtobuf("a tensor lies at no place of its file")
    return int(text)
