"""Reading the header of a GGUF file: the facts that Venom shows, and its table of tensors.

A file of any origin may be given, so every count and length is bounded before it is believed, and
no more than ``MAX_HEADER_BYTES`` are read. Source: the GGUF specification, versions 2 and 3.
"""

from __future__ import annotations

import re
import struct
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from venom_core.sdk.architecture import (
    MAX_BYTES,
    MAX_CONTEXT,
    MAX_LAYERS,
    MAX_WIDTH,
    Architecture,
    BadNumber,
)
from venom_core.sdk.architecture_gguf import from_gguf, tensor_bytes
from venom_core.sdk.numbers import say_bad, whole

MAGIC = b"GGUF"
MAX_HEADER_BYTES = 128 * 1024 * 1024
MAX_KEYS = 4096
#: What is one of a few kinds: how a file is quantized, how its embeddings are pooled.
MOST_KIND = 1 << 16
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 4
MAX_ALIGNMENT = 1 << 20
MAX_KEY_BYTES = 1024
MAX_TEXT_BYTES = 1024 * 1024
#: Items of all arrays together; a vocabulary, its scores, types and merges are some 1.5 million.
MAX_ITEMS = 4_000_000

STRING, ARRAY = 8, 9
SCALARS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q",
    12: "<d",
}  # fmt: skip

# llama.cpp's llama_ftype
FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS",
    23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0",
    38: "MXFP4",
}  # fmt: skip


# ggml's tensor types
TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
    17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S",
    23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16",
    34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4",
}  # fmt: skip


#: Runs of characters that no reference may hold.
_UNFIT = re.compile(r"[^\w.:@+-]+")
_FIRST_PART = re.compile(r"-00001-of-\d{5}$", re.ASCII)
MAX_NAME = 150


#: What files hold that are no models by themselves, by their ``general.type``.
_NO_MODEL = {
    "adapter": "it holds an adapter, which a model is needed for",
    "imatrix": "it holds what a quantization is made with, and no model",
    "mmproj": "it holds an image projector, which a model is needed for",
}


class NotGguf(ValueError):
    """The file is no GGUF model, or its header is damaged; the text says how, without its path."""


class HeaderCut(NotGguf):
    """The header goes on behind what there is to read."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the file's table. ``shape`` as llama.cpp prints it: the input's length first."""

    name: str
    kind: int
    shape: tuple[int, ...]

    @property
    def type_name(self) -> str:
        """Return the name of its type (``Q4_K``); empty for one that is not known."""
        return TENSOR_TYPES.get(self.kind, "")

    @property
    def size_bytes(self) -> int | None:
        """Return its bytes; None for a type that is not known here."""
        return tensor_bytes(self.type_name, self.shape)


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """The facts of a file about itself; None where it says nothing.

    ``context_length`` is in tokens, as trained. ``pooling`` is set in embedding models only.
    """

    size_bytes: int
    architecture: str
    name: str | None = None
    size_label: str | None = None
    license: str | None = None
    quantization: str | None = None
    context_length: int | None = None
    embedding_length: int | None = None
    block_count: int | None = None
    pooling: int | None = None
    chat_template: str | None = None
    numbers: Architecture | None = None
    tensors: tuple[Tensor, ...] = ()


def read_header(path: Path) -> GgufHeader:
    """Read a file's header. Raises ``NotGguf``, or ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        return header_of(file, size)


def model_name(path: Path) -> str:
    """Return the name under which a file of somebody's own is listed; any script's letters stay."""
    stem = unicodedata.normalize("NFC", path.stem)
    name = _UNFIT.sub("-", _FIRST_PART.sub("", stem)).strip(".-:")[:MAX_NAME] or "model"
    return name.replace("..", ".")


def header_of(file: BinaryIO, size: int, there: int | None = None) -> GgufHeader:
    """Read a header from its first byte on.

    Args:
        size: of the whole file. there: how much of it can be read, where that is less.

    Raises ``NotGguf``; ``HeaderCut`` where the header goes on behind ``there``.
    """
    reader = _Reader(file, size if there is None else there)
    facts = reader.facts()
    tensors = reader.tensors()
    return _header(facts, size, tensors, reader.data_start(facts), reader.vocabulary)


class _Reader:
    """A cursor that refuses to go beyond the file or the bounds."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._limit = min(size, MAX_HEADER_BYTES)
        self._at = 0
        self._tensors = self._items = 0
        #: Entries of the vocabulary, where the file has one.
        self.vocabulary: int | None = None

    def facts(self) -> dict[str, Any]:
        if self._take(4) != MAGIC:
            raise NotGguf("it does not begin as a GGUF file")
        version = self._number("<I")
        if version not in (2, 3):
            raise NotGguf(f"its GGUF version is {version}; 2 and 3 are known")
        self._tensors = self._count(self._number("<Q"), MAX_TENSORS, "tensors")
        keys = self._count(self._number("<Q"), MAX_KEYS, "keys")
        facts: dict[str, Any] = {}
        for _ in range(keys):
            key = self._text(MAX_KEY_BYTES)
            value = self._value(self._number("<I"), key)
            if value is not None:
                facts[key] = value
        return facts

    def tensors(self) -> tuple[Tensor, ...]:
        """Return the table of tensors, which follows the facts."""
        return tuple(self._tensor() for _ in range(self._tensors))

    def _tensor(self) -> Tensor:
        name = self._text(MAX_KEY_BYTES)
        dimensions = self._count(self._number("<I"), MAX_DIMENSIONS, "dimensions")
        shape = tuple(self._number("<Q") for _ in range(dimensions))
        elements = 1
        for length in shape:
            elements *= self._count(length, MAX_BYTES, "elements")
            if length == 0:
                raise NotGguf("it has a tensor without elements")
        self._count(elements, MAX_BYTES, "elements")
        kind = self._number("<I")
        self._count(self._number("<Q"), MAX_BYTES, "bytes before a tensor")
        return Tensor(name, kind, shape)

    def data_start(self, facts: dict[str, Any]) -> int:
        """Return where the tensors' data begins: behind the tables, at a multiple of the
        alignment."""
        alignment = facts.get("general.alignment", 32)
        if isinstance(alignment, bool) or not isinstance(alignment, int):
            raise NotGguf("its alignment is no number")
        if not 1 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
            raise NotGguf(f"its alignment is {alignment}")
        return -(-self._at // alignment) * alignment

    def _value(self, kind: int, key: str) -> Any:
        """Return a scalar or a text, or a short array of numbers (one for each layer) as a list;
        None for any other array, which is passed over."""
        if kind == STRING:
            return self._text(MAX_TEXT_BYTES)
        if kind == ARRAY:
            return self._array(key)
        if kind not in SCALARS:
            raise NotGguf(f"it has a value of the unknown kind {kind}")
        return self._number(SCALARS[kind])

    def _array(self, key: str) -> list[Any] | None:
        kind = self._number("<I")
        items = self._count(self._number("<Q"), MAX_ITEMS, "items")
        self._items = self._count(self._items + items, MAX_ITEMS, "items")
        if key == "tokenizer.ggml.tokens":
            self.vocabulary = items or None
        if kind in SCALARS and items <= MAX_LAYERS:
            return [self._number(SCALARS[kind]) for _ in range(items)]
        if kind in SCALARS:
            self._skip(items * struct.calcsize(SCALARS[kind]))
        elif kind == STRING:
            self._skip_texts(items)
        else:
            raise NotGguf("it has an array of arrays")
        return None

    def _skip_texts(self, items: int) -> None:
        # A vocabulary has hundreds of thousands of them: this loop is most of the reading.
        read, unpack, at, limit = self._file.read, struct.Struct("<Q").unpack, self._at, self._limit
        for _ in range(items):
            prefix = read(8)
            length = unpack(prefix)[0] if len(prefix) == 8 else limit
            at += 8 + length
            if at > limit:
                raise HeaderCut("it ends in the middle of its header, or its header is too large")
            read(length)
        self._at = at

    def _text(self, most: int) -> str:
        length = self._count(self._number("<Q"), most, "bytes of text")
        return self._take(length).decode("utf-8", "replace")

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _count(self, number: int, most: int, what: str) -> int:
        if number > most:
            raise NotGguf(f"it claims {number} {what}")
        return number

    def _take(self, length: int) -> bytes:
        self._advance(length)
        data = self._file.read(length)
        if len(data) != length:
            raise HeaderCut("it ends in the middle of its header")
        return data

    def _skip(self, length: int) -> None:
        self._advance(length)
        # Reading what is buffered is much faster than seeking, which throws the buffer away.
        if length > 65536:
            self._file.seek(length, 1)
        elif len(self._file.read(length)) != length:
            raise HeaderCut("it ends in the middle of its header")

    def _advance(self, length: int) -> None:
        self._at += length
        if self._at > self._limit:
            raise HeaderCut("it ends in the middle of its header, or its header is too large")


def _header(
    facts: dict[str, Any],
    size: int,
    tensors: tuple[Tensor, ...],
    data_start: int,
    vocabulary: int | None,
) -> GgufHeader:
    architecture = _text(facts, "general.architecture")
    if not architecture:
        raise NotGguf("it names no architecture")
    if architecture == "clip":  # image projectors had no type of their own once
        raise NotGguf(_NO_MODEL["mmproj"])
    kind = facts.get("general.type")
    if isinstance(kind, str) and kind != "model":
        raise NotGguf(_NO_MODEL.get(kind, "it holds no model"))
    data = size - data_start if tensors and size > data_start else None
    try:
        numbers = from_gguf(facts, weights_bytes=data, vocabulary=vocabulary)
    except BadNumber as error:
        numbers = None  # what it says of itself cannot be: nothing is estimated from it
        say_bad("gguf", error)
    file_type = _whole(facts, "general.file_type", MOST_KIND, 0)
    return GgufHeader(
        size_bytes=size,
        architecture=architecture,
        name=_text(facts, "general.name"),
        size_label=_text(facts, "general.size_label"),
        license=_text(facts, "general.license"),
        quantization=FILE_TYPES.get(file_type) if file_type is not None else None,
        context_length=_whole(facts, f"{architecture}.context_length", MAX_CONTEXT),
        embedding_length=_whole(facts, f"{architecture}.embedding_length", MAX_WIDTH),
        block_count=_whole(facts, f"{architecture}.block_count", MAX_LAYERS),
        pooling=_whole(facts, f"{architecture}.pooling_type", MOST_KIND, 0),
        chat_template=facts["tokenizer.chat_template"]
        if isinstance(facts.get("tokenizer.chat_template"), str)
        else None,
        numbers=numbers,
        tensors=tensors,
    )


def _text(facts: dict[str, Any], key: str) -> str | None:
    value = facts.get(key)
    return value[:200] if isinstance(value, str) else None


def _whole(facts: dict[str, Any], key: str, most: int, least: int = 1) -> int | None:
    # The family's name is the file's own word, and no part of the log's.
    return whole(facts.get(key), f"gguf.{key.rpartition('.')[2]}", most, least)
