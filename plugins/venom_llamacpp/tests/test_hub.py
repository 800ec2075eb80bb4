"""Pulling from a Hub of our own: redirects, resuming, digests, refusals, the token's way."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    StorageError,
    Unavailable,
    UpstreamError,
)
from venom_core.sdk.hub_download import HubFile
from venom_core.sdk.hub_files import HubRef
from venom_llamacpp.hub import (
    Hub,
    choose,
    hub_reference,
    listed_name,
    parse_listing,
)
from venom_llamacpp.store import ModelStore

DIGEST = "a" * 64


def row(path: str, content: bytes, digest: str | None = None) -> dict[str, Any]:
    oid = digest or hashlib.sha256(content).hexdigest()
    return {"type": "file", "path": path, "size": 3, "lfs": {"oid": oid, "size": len(content)}}


@dataclass
class Server:
    """One HTTP/1.1 server; ``routes`` map a path to (status, headers, body)."""

    url: str = ""
    routes: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    break_after: list[int] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.split("\r\n")
        path = first.split(" ")[1]
        pairs = (line.split(": ", 1) for line in lines if line)
        headers = {name.lower(): value for name, value in pairs}
        self.seen.append((path, headers))
        status, sent, body = self.routes.get(path, (404, {}, b"{}"))
        start = 0
        if status == 200 and "range" in headers and "no-range" not in sent:
            start = int(headers["range"].removeprefix("bytes=").rstrip("-"))
            status = 206
        body = body[start:]
        extra = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}"
            "Connection: close\r\n\r\n".encode()
        )
        if body and self.break_after and path.endswith(".gguf"):
            body = body[: self.break_after.pop(0)]
        writer.write(body)
        await writer.drain()
        writer.close()


MakeServer = Callable[[], Awaitable[Server]]


@pytest.fixture
async def make_server() -> AsyncIterator[MakeServer]:
    running: list[asyncio.Server] = []

    async def make() -> Server:
        ours = Server()
        server = await asyncio.start_server(ours, "127.0.0.1", 0)
        ours.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        running.append(server)
        return ours

    yield make
    for server in running:
        server.close()


@pytest.fixture
async def hub(make_server: MakeServer) -> Server:
    return await make_server()


@pytest.fixture
async def storage(make_server: MakeServer) -> Server:
    return await make_server()


@pytest.fixture
def model(gguf: Any) -> bytes:
    facts = {
        "general.architecture": "gemma3",
        "general.file_type": 15,
        "gemma3.context_length": 2048,
        "tokenizer.chat_template": "{{ x }}",
    }
    return bytes(gguf(facts)) + b"weights" * 400_000


@pytest.fixture
def offered(hub: Server, storage: Server, model: bytes) -> Server:
    """The Hub lists two quantizations and points at another host for the files."""
    listing = [
        row("tiny-Q8_0.gguf", b"x"),
        row("tiny-Q4_K_M.gguf", model),
        {"type": "file", "path": "README.md", "size": 3},
    ]
    hub.routes["/api/models/org/tiny/tree/main?recursive=1"] = (
        200, {}, json.dumps(listing).encode(),
    )  # fmt: skip
    hub.routes["/org/tiny/resolve/main/tiny-Q4_K_M.gguf"] = (
        302, {"Location": f"{storage.url}/blob.gguf"}, b"",
    )  # fmt: skip
    storage.routes["/blob.gguf"] = (200, {}, model)
    return hub


def pull(
    server: Server, models: ModelStore, ref: str = "hf.co/org/tiny", token: str = "t0ken"
) -> Any:
    parsed = hub_reference(ref)
    assert parsed is not None
    return Hub(server.url + "/", token).pull(models, parsed)


@pytest.fixture
def models(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models" / "llamacpp")


def left_in(models: ModelStore) -> list[str]:
    return sorted(path.suffix for path in models.folder.iterdir())


async def test_pull_follows_the_redirect_without_the_token(
    offered: Server, storage: Server, models: ModelStore, model: bytes, steps_of: Any
) -> None:
    steps = await steps_of(pull(offered, models))
    assert [steps[0].status, steps[-2].status, steps[-1].status] == [
        "pulling", "verifying", "completed",
    ]  # fmt: skip
    assert len({step.bytes_done for step in steps}) > 2
    stored = models.find("hf.co/org/tiny:Q4_K_M")
    assert stored is not None and stored.path.read_bytes() == model
    assert stored.facts["context_length"] == 2048 and stored.facts["chat"] is True
    assert left_in(models) == [".gguf", ".json"]
    assert all(headers["authorization"] == "Bearer t0ken" for _, headers in offered.seen)
    assert len(offered.seen) == 2
    assert [headers.get("authorization") for _, headers in storage.seen] == [None]


async def test_broken_transfer_goes_on_where_it_broke(
    offered: Server, storage: Server, models: ModelStore, model: bytes, steps_of: Any
) -> None:
    storage.break_after = [1_500_000, 700_000]
    await steps_of(pull(offered, models))
    stored = models.find("hf.co/org/tiny:Q4_K_M")
    assert stored is not None and stored.path.read_bytes() == model
    ranges = [headers.get("range") for _, headers in storage.seen]
    assert ranges[0] is None
    starts = [int(str(text).removeprefix("bytes=").removesuffix("-")) for text in ranges[1:]]
    # A reset may take what the kernel still held; what was written is never asked for again.
    assert 0 < starts[0] <= 1_500_000
    assert starts[0] < starts[1] <= starts[0] + 700_000


async def test_closed_pull_is_resumed_by_the_next(
    offered: Server, storage: Server, models: ModelStore, model: bytes, steps_of: Any
) -> None:
    first = pull(offered, models)
    async for step in first:
        if step.bytes_done:
            break
    await first.aclose()
    assert models.list() == () and left_in(models) == [".part"]
    kept = next(models.folder.iterdir()).stat().st_size
    steps = await steps_of(pull(offered, models))
    assert steps[0].bytes_done == kept > 0
    assert storage.seen[-1][1]["range"] == f"bytes={kept}-"
    assert models.find("hf.co/org/tiny:Q4_K_M") is not None


async def test_server_that_ignores_ranges_sends_it_all_again(
    offered: Server, storage: Server, models: ModelStore, model: bytes, steps_of: Any
) -> None:
    storage.routes["/blob.gguf"] = (200, {"no-range": "1"}, model)
    storage.break_after = [1_500_000]
    await steps_of(pull(offered, models))
    stored = models.find("hf.co/org/tiny:Q4_K_M")
    assert stored is not None and stored.path.read_bytes() == model


async def test_wrong_digest_is_refused_and_removed(
    offered: Server, storage: Server, models: ModelStore, model: bytes
) -> None:
    storage.routes["/blob.gguf"] = (200, {}, model[:-1] + b"!")
    with pytest.raises(StorageError) as caught:
        await drain(pull(offered, models))
    assert caught.value.code == "digest_mismatch" and left_in(models) == []


async def test_more_bytes_than_announced_are_refused(
    offered: Server, storage: Server, models: ModelStore, model: bytes
) -> None:
    storage.routes["/blob.gguf"] = (200, {}, model + b"more")
    with pytest.raises(UpstreamError, match="more than the file"):
        await drain(pull(offered, models))
    assert models.list() == ()


async def test_file_that_is_no_model_is_refused(
    offered: Server, storage: Server, models: ModelStore
) -> None:
    junk = b"junk" * 100
    listing = json.dumps([row("tiny-Q4_K_M.gguf", junk)]).encode()
    offered.routes["/api/models/org/tiny/tree/main?recursive=1"] = (200, {}, listing)
    storage.routes["/blob.gguf"] = (200, {}, junk)
    with pytest.raises(UpstreamError, match="no usable GGUF"):
        await drain(pull(offered, models))
    assert left_in(models) == []


async def test_listing_of_several_pages_is_read_to_its_end(
    offered: Server, models: ModelStore, steps_of: Any
) -> None:
    first = "/api/models/org/tiny/tree/main?recursive=1"
    last = offered.routes[first]
    link = {"Link": f'<{offered.url}/page2>; rel="next"'}
    offered.routes[first] = (200, link, b"[]")
    offered.routes["/page2"] = last
    await steps_of(pull(offered, models))
    assert models.find("hf.co/org/tiny:Q4_K_M") is not None


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, Forbidden, "model_gated"),
        (404, ModelNotFound, "model_not_found"),
        (429, Exception, "rate_limit_exceeded"),
        (500, UpstreamError, "upstream_error"),
    ],
)
async def test_refusals_of_the_hub_have_codes(
    hub: Server, models: ModelStore, status: int, error: type[Exception], code: str
) -> None:
    hub.routes["/api/models/org/tiny/tree/main?recursive=1"] = (status, {}, b"secret")
    with pytest.raises(error) as caught:
        await drain(pull(hub, models))
    assert getattr(caught.value, "code", None) == code and "secret" not in str(caught.value)


async def test_redirects_end_and_stay_on_http(
    hub: Server, storage: Server, models: ModelStore
) -> None:
    path = "/api/models/org/tiny/tree/main?recursive=1"
    for location in (f"{hub.url}{path}", "file:///etc/passwd", "ftp://x/y"):
        hub.routes[path] = (302, {"Location": location}, b"")
        with pytest.raises(UpstreamError):
            await drain(pull(hub, models))
    assert len(hub.seen) == 5 + 1 + 1


async def test_no_hub_is_unavailable(models: ModelStore) -> None:
    with pytest.raises(Unavailable) as caught:
        await drain(pull(Server("http://127.0.0.1:9"), models))
    assert caught.value.code == "hub_unreachable" and caught.value.fix


def test_references() -> None:
    found = hub_reference("hf.co/ggml-org/gemma-3-1b-it-GGUF:Q4_K_M")
    assert found == HubRef("ggml-org/gemma-3-1b-it-GGUF", "Q4_K_M")
    assert listed_name(HubRef("a/b")) == "hf.co/a/b:Q4_K_M"
    for bad in (
        "hf.co/a",
        "hf.co/../b",
        "hf.co/a/b/c",
        "hf.co/a/b?x",
        "hf.co/a/b:",
        "a/b",
        "hf.co/a/..",
    ):
        assert hub_reference(bad) is None, bad


def test_choice_takes_the_quantization_as_a_word() -> None:
    names = [
        "m-Q4_K_M.gguf",
        "m-Q4_K_S.gguf",
        "m-IQ4_K.gguf",
        "UD/m-UD-Q4_K_M.gguf",
        "q8/m-q8_0.gguf",
    ]
    files = [HubFile(name, 1, DIGEST) for name in names]
    assert choose(files, HubRef("a/b", None)).name == "m-Q4_K_M.gguf"
    assert choose(files, HubRef("a/b", "q8_0")).name == "q8/m-q8_0.gguf"
    with pytest.raises(ModelNotFound, match="m-Q4_K_S"):
        choose(files, HubRef("a/b", "Q4_K"))
    only = [HubFile("m-BF16.gguf", 1, DIGEST)]
    assert choose(only, HubRef("a/b", None)).name == "m-BF16.gguf"
    with pytest.raises(ModelNotFound, match="no whole GGUF"):
        choose([], HubRef("a/b", None))


def test_listing_leaves_out_what_cannot_be_served_or_proved() -> None:
    rows = [
        row("m-Q4_K_M.gguf", b"abc"),
        row("mmproj-m-f16.gguf", b"abc"),
        row("m-Q4_K_M-00001-of-00002.gguf", b"abc"),
        row("m-Q8_0.gguf", b"abc", digest="short"),
        {"path": "m-Q2_K.gguf", "size": 3},
        {"path": "m-Q3_K.gguf", "lfs": {"oid": DIGEST, "size": -1}},
    ]
    assert [file.name for file in parse_listing(json.dumps(rows).encode())] == ["m-Q4_K_M.gguf"]
    for bad in (b"{", b"7", b'["x"]'):
        with pytest.raises(UpstreamError):
            parse_listing(bad)


async def drain(steps: Any) -> None:
    async for _ in steps:
        pass
