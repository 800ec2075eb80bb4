"""Facts that `describe` tells for the fit check: headers of files here, on the Hub, and hostile
ones."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import struct
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venom_core.sdk.errors import ModelNotFound, UpstreamError
from venom_core.sdk.gguf import HeaderCut, NotGguf, Tensor, header_of, read_header
from venom_llamacpp.catalogue import BUILT_IN
from venom_llamacpp.hub import HEADER_STEPS
from venom_llamacpp.memory import memory_plan, reordered_bytes

FACTS: dict[str, Any] = {
    "general.architecture": "gemma3", "gemma3.block_count": 6, "gemma3.embedding_length": 64,
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": struct.pack("<IIQ6I", 9, 4, 6, 1, 2, 1, 2, 1, 2),
    "gemma3.attention.key_length": 16, "gemma3.attention.value_length": 16,
    "gemma3.attention.sliding_window": 512, "gemma3.feed_forward_length": 128,
    "gemma3.context_length": 8192, "tokenizer.ggml.tokens": ["<s>", "a", "bc"] * 100,
}  # fmt: skip
Q4_K, F32 = 12, 0


def table(*tensors: tuple[str, int, tuple[int, ...]]) -> bytes:
    entries = [
        struct.pack("<Q", len(name)) + name.encode() + struct.pack("<I", len(shape))
        + b"".join(struct.pack("<Q", length) for length in shape) + struct.pack("<IQ", kind, 0)
        for name, kind, shape in tensors
    ]  # fmt: skip
    return b"".join(entries)


TENSORS = (
    ("token_embd.weight", Q4_K, (256, 64)),
    ("blk.0.attn_q.weight", Q4_K, (256, 32)),
    ("blk.0.attn_k.weight", Q4_K, (256, 3)),  # three rows: not in steps of eight
    ("blk.0.ffn_up_exps.weight", Q4_K, (256, 8, 2)),
    ("output_norm.weight", F32, (64,)),
)


@pytest.fixture
def model(gguf: Callable[..., bytes]) -> bytes:
    head = gguf(FACTS, tensors=len(TENSORS)) + table(*TENSORS)
    return head + b"\0" * (-len(head) % 32) + b"w" * 5000


def test_the_header_says_what_the_fit_check_needs(model: bytes, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(model)
    header = read_header(path)
    assert header.numbers is not None
    assert header.numbers.kv_heads == (1, 2, 1, 2, 1, 2)
    assert header.numbers.windowed == (True, True, True, True, True, False)
    assert header.numbers.vocabulary == 300
    assert header.numbers.weights_bytes == 5000
    assert [tensor.name for tensor in header.tensors] == [name for name, _, _ in TENSORS]


def test_only_matrices_that_are_multiplied_are_held_twice(model: bytes) -> None:
    header = header_of(io.BytesIO(model), len(model))
    assert reordered_bytes(header.tensors) == 32 * 144 + 16 * 144
    on_this = memory_plan(10, 100, context=512, parallel=1, batch=512, machine="x86_64")
    elsewhere = memory_plan(10, 100, context=512, parallel=1, batch=512, machine="riscv64")
    assert (on_this.copies_bytes, elsewhere.copies_bytes) == (100, 0)
    assert on_this.measured is not None and elsewhere.measured is None


def test_the_numbers_of_the_built_in_models_are_those_of_their_files(real_models: Path) -> None:
    for path in (real_models / "llamacpp").glob("*.json"):
        entry = BUILT_IN[json.loads(path.read_text())["ref"]]
        header = read_header(path.with_suffix(".gguf"))
        assert header.numbers == entry.numbers
        assert reordered_bytes(header.tensors) == entry.reordered_bytes


@pytest.mark.parametrize("alignment", [0, 3, 2**31, struct.pack("<Ii", 5, -32), "many", True])
def test_an_alignment_that_cannot_be_is_refused(gguf: Callable[..., bytes], alignment: Any) -> None:
    data = gguf(FACTS | {"general.alignment": alignment})
    with pytest.raises(NotGguf):
        header_of(io.BytesIO(data), len(data))


@pytest.mark.parametrize(
    "entry",
    [
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 2**20),
        table(("a", F32, (1, 1, 1, 1, 1))),
        table(("a", F32, (2**40, 2**40))),
        table(("a", F32, (0, 4))),
        table(("a", F32, (4,)))[:-8] + struct.pack("<Q", 2**63),
        b"",
    ],
)
def test_a_hostile_table_of_tensors_is_refused(gguf: Callable[..., bytes], entry: bytes) -> None:
    data = gguf(FACTS, tensors=1) + entry
    with pytest.raises(NotGguf):
        header_of(io.BytesIO(data), len(data))


def test_a_text_that_is_really_that_long_is_refused_too(gguf: Callable[..., bytes]) -> None:
    data = gguf(FACTS | {"a": struct.pack("<IQ", 8, 1 << 21) + b"x" * (1 << 21)})
    with pytest.raises(NotGguf, match="bytes of text"):
        header_of(io.BytesIO(data), len(data))


def test_many_arrays_together_are_bounded_too(gguf: Callable[..., bytes]) -> None:
    empty = struct.pack("<IIQ", 9, 8, 1_100_000) + b"\0" * 8 * 1_100_000
    data = gguf(FACTS | {f"a{number}": empty for number in range(4)})
    with pytest.raises(NotGguf, match="items"):
        header_of(io.BytesIO(data), len(data))


def test_an_unknown_type_of_tensor_has_no_size() -> None:
    assert Tensor("a", 999, (4, 8)).size_bytes is None
    assert reordered_bytes([Tensor("a", 999, (4, 8))]) == 0


def test_impossible_numbers_leave_a_file_without_an_estimate(gguf: Callable[..., bytes]) -> None:
    data = gguf(FACTS | {"gemma3.block_count": 0}) + b"w"
    assert header_of(io.BytesIO(data), len(data)).numbers is None


@given(data=st.data())
def test_a_damaged_header_never_crashes_hangs_or_takes_memory(data: st.DataObject) -> None:
    whole = _small()
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=16))
        whole = whole or bytearray(b"x")
    tracemalloc.start()
    with contextlib.suppress(NotGguf):
        assert header_of(io.BytesIO(whole), 1 << 40, len(whole)).architecture
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 4_000_000


def _small() -> bytearray:
    pairs = b""
    for key, value in (("general.architecture", "llama"), ("a.b", 7)):
        packed = (
            struct.pack("<IQ", 8, len(value)) + value.encode()
            if isinstance(value, str)
            else struct.pack("<II", 4, value)
        )
        pairs += struct.pack("<Q", len(key)) + key.encode() + packed
    rows = struct.pack("<Q", 20) + b"llama.feed_forward_l" + struct.pack("<IIQ", 9, 4, 3)
    rows += struct.pack("<3I", 1, 2, 3)
    head = struct.pack("<4sIQQ", b"GGUF", 3, 2, 3) + pairs + rows
    return bytearray(head + table(("t", F32, (4, 4)), ("u", Q4_K, (256, 8))))


def test_a_header_that_goes_on_is_told_from_a_damaged_one(model: bytes) -> None:
    with pytest.raises(HeaderCut):
        header_of(io.BytesIO(model[:100]), len(model), 100)
    assert header_of(io.BytesIO(model[:-5000]), len(model), len(model) - 5000).numbers is not None


class RangeServer:
    """One repository with one file; notes the ranges that were asked for."""

    def __init__(self, content: bytes, *, ranges: bool = True) -> None:
        self.content, self.ranges = content, ranges
        self.asked: list[str] = []
        self.sent = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            status, body = 200, self.content
            if "/api/" in head.split("\r\n")[0]:
                lfs = {"oid": "a" * 64, "size": len(self.content)}
                body = json.dumps([{"path": "m-q4_k_m.gguf", "lfs": lfs}]).encode()
            elif "range: " in head and self.ranges:
                asked = head.split("range: bytes=")[1].split("\r\n")[0]
                self.asked.append(asked)
                first, last = (int(number) for number in asked.split("-"))
                status, body = 206, body[first : last + 1]
            lines = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            writer.write(lines.encode() + b"\r\n")
            for at in range(0, len(body), 65_536):
                writer.write(body[at : at + 65_536])
                await writer.drain()
                self.sent += len(body[at : at + 65_536])
        writer.close()


Serve = Callable[[RangeServer], Awaitable[str]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    running: list[asyncio.Server] = []

    async def start(server: RangeServer) -> str:
        running.append(await asyncio.start_server(server, "127.0.0.1", 0))
        return f"http://127.0.0.1:{running[-1].sockets[0].getsockname()[1]}"

    yield start
    for server in running:
        server.close()
        await server.wait_closed()


async def test_a_file_on_the_hub_is_described_by_its_first_bytes(
    model: bytes, serve: Serve, make_provider: Any
) -> None:
    server = RangeServer(model + b"w" * 8_000_000)
    provider = make_provider(hf_endpoint=await serve(server))
    await provider.open()
    found = await provider.describe("hf.co/org/repo")
    assert not found.installed and found.ref == "hf.co/org/repo:Q4_K_M"
    assert found.size_bytes == len(server.content)
    assert found.architecture is not None
    assert found.architecture.weights_bytes == 8_005_000
    assert found.memory_plan is not None and found.memory_plan.context_length == 4096
    assert server.asked == [f"0-{HEADER_STEPS[0] - 1}"]
    await provider.describe("hf.co/org/repo")
    assert len(server.asked) == 1


async def test_a_long_header_is_read_on_from_where_it_ended(
    gguf: Callable[..., bytes], serve: Serve, make_provider: Any
) -> None:
    words = {"tokenizer.ggml.tokens": ["w" * 100] * 30_000}
    server = RangeServer(gguf(FACTS | words, tensors=1) + table(TENSORS[0]) + b"w" * 9999)
    provider = make_provider(hf_endpoint=await serve(server))
    await provider.open()
    found = await provider.describe("hf.co/org/repo")
    assert found.architecture is not None and found.architecture.vocabulary == 30_000
    assert [asked.split("-")[0] for asked in server.asked] == ["0", str(HEADER_STEPS[0])]


async def test_a_hub_without_ranges_is_hung_up_on(
    model: bytes, serve: Serve, make_provider: Any
) -> None:
    server = RangeServer(model + b"w" * 60_000_000, ranges=False)
    provider = make_provider(hf_endpoint=await serve(server))
    await provider.open()
    found = await provider.describe("hf.co/org/repo")
    assert found.architecture is not None
    assert server.sent < 40_000_000


async def test_what_is_no_model_is_refused(serve: Serve, make_provider: Any) -> None:
    provider = make_provider(hf_endpoint=await serve(RangeServer(b"nothing of the kind" * 99)))
    await provider.open()
    with pytest.raises(UpstreamError, match="no usable GGUF"):
        await provider.describe("hf.co/org/repo")
    with pytest.raises(ModelNotFound):
        await provider.describe("no-such-model")


async def test_built_in_models_are_described_before_they_are_fetched(make_provider: Any) -> None:
    provider = make_provider(parallel=3)
    await provider.open()
    found = await provider.describe("smollm2:135m")
    assert not found.installed and found.architecture == BUILT_IN["smollm2:135m"].numbers
    assert found.memory_plan is not None and found.memory_plan.parallel == 3
    assert (await provider.describe("gemma3-270m-base")).memory_plan.parallel == 1
