"""Numbers of a GGUF header that cannot be count as not given; nothing is estimated from them."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk import numbers
from venom_core.sdk.gguf import read_header
from venom_core.testing.gguf import gguf_bytes


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    numbers._said.clear()


FACTS: dict[str, Any] = {
    "general.architecture": "x", "x.context_length": 4096, "x.embedding_length": 64,
    "x.block_count": 2, "x.attention.head_count": 4, "x.attention.head_count_kv": 2,
    "x.pooling_type": 1, "general.file_type": 7,
}  # fmt: skip
#: As a file can hold them: kind and value together.
IN_A_FILE = {
    "2**63": struct.pack("<IQ", 10, 2**63), "-1": struct.pack("<Iq", 11, -1),
    "nan": struct.pack("<Id", 12, math.nan), "inf": struct.pack("<Id", 12, math.inf),
    "1e308": struct.pack("<Id", 12, 1e308), "12": "12", "True": True, "[]": [],
}  # fmt: skip
SHOWN = {
    "x.context_length": "context_length", "x.embedding_length": "embedding_length",
    "x.block_count": "block_count", "x.pooling_type": "pooling",
    "general.file_type": "quantization",
}  # fmt: skip


@pytest.mark.parametrize("value", IN_A_FILE)
@pytest.mark.parametrize("key", [key for key in FACTS if key != "general.architecture"])
def test_a_number_in_a_gguf_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, key: str, value: str
) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(gguf_bytes(FACTS))
    assert read_header(file).numbers is not None
    file.write_bytes(gguf_bytes({**FACTS, key: IN_A_FILE[value]}))
    for _ in range(2):
        header = read_header(file)
        rest = {shown: getattr(header, shown) for name, shown in SHOWN.items() if name != key}
        assert None not in rest.values()
        if key in SHOWN:
            assert getattr(header, SHOWN[key]) is None
        numbers_ = header.numbers
        assert numbers_ is None or key in ("x.pooling_type", "general.file_type") or value == "[]"
    said = [r.getMessage() for r in caplog.records]
    assert len(said) == len(set(said))
    if value != "[]":
        assert said
