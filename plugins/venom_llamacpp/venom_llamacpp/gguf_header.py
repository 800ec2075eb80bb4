"""The few facts of a GGUF file that Venom shows and needs, read from its header.

A file of any origin may be given, so every count and length is bounded before it is believed, and
no more than ``MAX_HEADER_BYTES`` are read. Source: the GGUF specification, versions 2 and 3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

MAGIC = b"GGUF"
MAX_HEADER_BYTES = 128 * 1024 * 1024
MAX_KEYS = 4096
MAX_TENSORS = 1_000_000
MAX_KEY_BYTES = 1024
MAX_TEXT_BYTES = 1024 * 1024
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


class NotGguf(ValueError):
    """The file is no GGUF file, or its header is damaged; the text says how, without its path."""


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What the file says of itself; None where it says nothing.

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


def read_header(path: Path) -> GgufHeader:
    """Read a file's header. Raises ``NotGguf``, or ``OSError`` where it cannot be read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        facts = _Reader(file, size).facts()
    return _header(facts, size)


class _Reader:
    """A cursor that refuses to go beyond the file or the bounds."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._limit = min(size, MAX_HEADER_BYTES)
        self._at = 0

    def facts(self) -> dict[str, Any]:
        if self._take(4) != MAGIC:
            raise NotGguf("it does not begin as a GGUF file")
        version = self._number("<I")
        if version not in (2, 3):
            raise NotGguf(f"its GGUF version is {version}; 2 and 3 are known")
        self._count(self._number("<Q"), MAX_TENSORS, "tensors")
        keys = self._count(self._number("<Q"), MAX_KEYS, "keys")
        facts: dict[str, Any] = {}
        for _ in range(keys):
            key = self._text(MAX_KEY_BYTES)
            value = self._value(self._number("<I"))
            if value is not None:
                facts[key] = value
        return facts

    def _value(self, kind: int) -> Any:
        """A scalar or a text; None for an array, which is passed over."""
        if kind == STRING:
            return self._text(MAX_TEXT_BYTES)
        if kind == ARRAY:
            return self._skip_array()
        if kind not in SCALARS:
            raise NotGguf(f"it has a value of the unknown kind {kind}")
        return self._number(SCALARS[kind])

    def _skip_array(self) -> None:
        kind = self._number("<I")
        items = self._count(self._number("<Q"), MAX_ITEMS, "items")
        if kind in SCALARS:
            self._skip(items * struct.calcsize(SCALARS[kind]))
        elif kind == STRING:
            self._skip_texts(items)
        else:
            raise NotGguf("it has an array of arrays")

    def _skip_texts(self, items: int) -> None:
        # A vocabulary has hundreds of thousands of them: this loop is most of the reading.
        read, unpack, at, limit = self._file.read, struct.Struct("<Q").unpack, self._at, self._limit
        for _ in range(items):
            prefix = read(8)
            length = unpack(prefix)[0] if len(prefix) == 8 else limit
            at += 8 + length
            if at > limit:
                raise NotGguf("it ends in the middle of its header, or its header is too large")
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
            raise NotGguf("it ends in the middle of its header")
        return data

    def _skip(self, length: int) -> None:
        self._advance(length)
        # Reading what is buffered is much faster than seeking, which throws the buffer away.
        if length > 65536:
            self._file.seek(length, 1)
        elif len(self._file.read(length)) != length:
            raise NotGguf("it ends in the middle of its header")

    def _advance(self, length: int) -> None:
        self._at += length
        if self._at > self._limit:
            raise NotGguf("it ends in the middle of its header, or its header is too large")


def _header(facts: dict[str, Any], size: int) -> GgufHeader:
    architecture = _text(facts, "general.architecture")
    if not architecture:
        raise NotGguf("it names no architecture")
    file_type = _whole(facts, "general.file_type")
    return GgufHeader(
        size_bytes=size,
        architecture=architecture,
        name=_text(facts, "general.name"),
        size_label=_text(facts, "general.size_label"),
        license=_text(facts, "general.license"),
        quantization=FILE_TYPES.get(file_type) if file_type is not None else None,
        context_length=_whole(facts, f"{architecture}.context_length"),
        embedding_length=_whole(facts, f"{architecture}.embedding_length"),
        block_count=_whole(facts, f"{architecture}.block_count"),
        pooling=_whole(facts, f"{architecture}.pooling_type"),
        chat_template=facts["tokenizer.chat_template"]
        if isinstance(facts.get("tokenizer.chat_template"), str)
        else None,
    )


def _text(facts: dict[str, Any], key: str) -> str | None:
    value = facts.get(key)
    return value[:200] if isinstance(value, str) else None


def _whole(facts: dict[str, Any], key: str) -> int | None:
    value = facts.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
