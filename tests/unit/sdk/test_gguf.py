"""The header reader: what it finds, and that no number in a file is believed."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk.gguf import MAX_KEYS, NotGguf, read_header
from venom_core.testing.gguf import gguf_bytes

FACTS: dict[str, Any] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "general.file_type": 15,
    "tokenizer.ggml.tokens": ["a", "bc", ""] * 50,
    "llama.context_length": 2048,
    "llama.block_count": 3,
    "tokenizer.chat_template": "{{ messages }}",
}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[bytes], Any]:
    def from_bytes(data: bytes) -> Any:
        path = tmp_path / "model.gguf"
        path.write_bytes(data)
        return read_header(path)

    return from_bytes


def test_facts_before_and_after_a_vocabulary_are_found(read: Any) -> None:
    header = read(gguf_bytes(FACTS) + b"tensors")
    assert (header.architecture, header.name, header.quantization) == ("llama", "Tiny", "Q4_K_M")
    assert (header.context_length, header.block_count) == (2048, 3)
    assert header.chat_template == "{{ messages }}"
    assert header.pooling is None and header.embedding_length is None
    assert header.size_bytes == len(gguf_bytes(FACTS)) + 7


def test_every_shorter_file_is_refused(read: Any) -> None:
    data = gguf_bytes(FACTS)
    for length in range(0, len(data), 3):
        with pytest.raises(NotGguf):
            read(data[:length])


@pytest.mark.parametrize(
    ("facts", "more"),
    [
        ({}, {"keys": MAX_KEYS + 1}),
        ({}, {"keys": 2**64 - 1}),
        (FACTS, {"tensors": 2**63}),
        (FACTS, {"version": 1}),
        (FACTS, {"version": 4}),
        ({"general.name": "no architecture"}, {}),
        ({"a": struct.pack("<I", 13)}, {}),
        ({"a": struct.pack("<IQ", 8, 2**64 - 1)}, {}),
        ({"a": struct.pack("<IQ", 8, 2**21)}, {}),
        ({"a": struct.pack("<IIQ", 9, 4, 2**62)}, {}),
        ({"a": struct.pack("<IIQ", 9, 10, 3_000_000)}, {}),
        ({"a": struct.pack("<IIQQ", 9, 8, 3, 2**63)}, {}),
        ({"a": struct.pack("<IIQ", 9, 9, 1)}, {}),
        ({"k" * 2000: 1}, {}),
    ],
)
def test_hostile_numbers_are_refused(
    read: Any, facts: dict[str, Any], more: dict[str, int]
) -> None:
    with pytest.raises(NotGguf) as caught:
        read(gguf_bytes(facts, **more) + b"\0" * 64)
    assert "model.gguf" not in str(caught.value)


def test_values_of_the_wrong_kind_count_as_unknown(read: Any) -> None:
    header = read(
        gguf_bytes(
            {
                "general.architecture": "llama",
                "llama.context_length": "many",
                "general.file_type": True,
                "general.name": 7,
                "tokenizer.chat_template": ["a list"],
            }
        )
    )
    assert (header.context_length, header.quantization, header.name) == (None, None, None)
    assert header.chat_template is None


@given(data=st.binary(max_size=400), at=st.integers(24, 200))
def test_arbitrary_bytes_end_in_a_header_or_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int
) -> None:
    facts = {"general.architecture": "llama", "general.name": "x" * 20}
    pairs = b"".join(
        struct.pack("<Q", len(key)) + key.encode() + struct.pack("<IQ", 8, len(value))
        + value.encode()
        for key, value in facts.items()
    )  # fmt: skip
    whole = struct.pack("<4sIQQ", b"GGUF", 3, 0, 2) + pairs
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    path.write_bytes(whole[:at] + data)
    with contextlib.suppress(NotGguf):
        assert read_header(path).architecture
