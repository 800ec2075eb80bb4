"""The one downloader: what a broken, lying or refusing server leads to, and what is asked again."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from venom_core.sdk import hub_download
from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    NoDiskSpace,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)
from venom_core.sdk.hub_download import (
    ATTEMPTS,
    STEP_BYTES,
    HubConnections,
    HubDownload,
    HubFile,
    check_digest,
)

ROUND = bytes(place * 7 % 251 for place in range(251))
DATA = (ROUND * (STEP_BYTES // 80))[: 3 * STEP_BYTES + 1000]
OTHER = DATA[::-1]
WHOLE = HubFile("m.gguf", len(DATA), sha256=hashlib.sha256(DATA).hexdigest())


@dataclass
class Answer:
    """One scripted answer; without a status the file is served, from the range that is asked.

    Args:
        cut: bytes of the body after which the connection ends.
        reset: the end is a reset.
        silent: after ``cut`` bytes nothing comes any more.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    data: bytes = DATA
    cut: int | None = None
    reset: bool = False
    silent: bool = False
    ranges: bool = True


class Server:
    """Gives its answers in turn, the last one again and again; keeps what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Answer] = [Answer()]
        self.seen: list[dict[str, str]] = []
        self.sent = 0

    @property
    def ranges(self) -> list[str | None]:
        return [headers.get("range") for headers in self.seen]

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._answer(reader, writer)
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        asked = dict(line.split(": ", 1) for line in lines if line)
        self.seen.append({name.lower(): value for name, value in asked.items()})
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        span = self.seen[-1].get("range")
        status, body, headers = answer.status, answer.data, dict(answer.headers)
        if status is None:
            status = 200
            if span and answer.ranges:
                start = int(span.removeprefix("bytes=").removesuffix("-"))
                headers.setdefault("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                status, body = 206, body[start:]
        elif status not in (200, 206):
            body = b""
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{extra}"
        writer.write(f"{head}\r\n".encode())
        sent = body if answer.cut is None else body[: answer.cut]
        self.sent += len(sent)
        writer.write(sent)
        await writer.drain()
        if answer.silent:
            await reader.read()  # until the other side goes
        if answer.reset:
            writer.transport.abort()


MakeServer = Callable[[], Awaitable[Server]]


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_download, "BACKOFF_SECONDS", 0.0)


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
def part(tmp_path: Path) -> Path:
    return tmp_path / "m.part"


def kept(part: Path) -> bytes:
    return part.read_bytes()


def there(part: Path) -> bool:
    return part.exists()


def leave(part: Path, data: bytes) -> None:
    part.write_bytes(data)


async def fetch(server: Server, part: Path, file: HubFile = WHOLE, **options: Any) -> list[int]:
    async with HubConnections(server.url, "t0ken", **options) as connections:
        download = HubDownload(connections, f"{server.url}/m.gguf", file, part)
        async with contextlib.aclosing(download.steps()) as steps:
            told = [have async for have in steps]
        await download.verify()
    return told


async def test_a_whole_file_in_steps(hub: Server, part: Path) -> None:
    told = await fetch(hub, part)
    assert kept(part) == DATA
    assert told[0] == 0 and told[-1] == len(DATA)
    assert max(after - before for before, after in itertools.pairwise(told)) <= 256 * 1024
    assert hub.seen[0]["authorization"] == "Bearer t0ken" and hub.ranges == [None]


@pytest.mark.parametrize("have", [1, STEP_BYTES, len(DATA) - 1])
async def test_only_the_rest_of_a_half_is_asked_for(hub: Server, part: Path, have: int) -> None:
    leave(part, DATA[:have])
    told = await fetch(hub, part)
    assert kept(part) == DATA and told[0] == have
    assert hub.ranges == [f"bytes={have}-"] and hub.sent == len(DATA) - have


async def test_a_whole_half_is_not_asked_for(hub: Server, part: Path) -> None:
    leave(part, DATA)
    assert await fetch(hub, part) == [len(DATA)] and hub.seen == []


async def test_an_empty_file_is_there(hub: Server, part: Path) -> None:
    await fetch(hub, part, HubFile("empty", 0, git="e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"))
    assert kept(part) == b"" and hub.seen == []


@pytest.mark.parametrize("reset", [False, True])
async def test_a_connection_that_breaks_in_the_middle(hub: Server, part: Path, reset: bool) -> None:
    hub.answers = [Answer(cut=STEP_BYTES + 500, reset=reset), Answer()]
    await fetch(hub, part)
    assert kept(part) == DATA
    # A reset may take what the kernel still held; a step that was written is not asked for again.
    again = [None, f"bytes={STEP_BYTES}-"]
    assert hub.ranges == again or (reset and hub.ranges == [None, None])


async def test_a_connection_that_breaks_before_the_answer(hub: Server, part: Path) -> None:
    hub.answers = [Answer(status=503), Answer(data=b"", cut=0, status=200), Answer()]
    await fetch(hub, part)
    assert kept(part) == DATA


async def test_a_body_that_is_shorter_than_the_file(hub: Server, part: Path) -> None:
    hub.answers = [Answer(data=DATA[: STEP_BYTES + 7])]
    with pytest.raises(UpstreamError, match="less than the file"):
        await fetch(hub, part)
    assert kept(part) == DATA[: STEP_BYTES + 7]


async def test_tries_end_where_nothing_new_comes(hub: Server, part: Path) -> None:
    hub.answers = [Answer(cut=100)]
    with pytest.raises(UpstreamError):
        await fetch(hub, part)
    assert len(hub.seen) == ATTEMPTS


async def test_tries_go_on_as_long_as_something_new_comes(hub: Server, part: Path) -> None:
    file = HubFile("m", STEP_BYTES * 8, sha256=hashlib.sha256(bytes(STEP_BYTES * 8)).hexdigest())
    hub.answers = [Answer(data=bytes(STEP_BYTES * 8), cut=STEP_BYTES)]
    await fetch(hub, part, file)
    assert len(hub.seen) == 8 > ATTEMPTS


async def test_a_silence_is_ended_and_gone_on_from(hub: Server, part: Path) -> None:
    hub.answers = [Answer(cut=STEP_BYTES, silent=True), Answer()]
    await fetch(hub, part, read_timeout=0.3)
    assert kept(part) == DATA and hub.ranges == [None, f"bytes={STEP_BYTES}-"]
    hub.answers = [Answer(cut=0, silent=True)]
    leave(part, b"")
    with pytest.raises(UpstreamTimeout):
        await fetch(hub, part, read_timeout=0.1)


async def test_the_whole_file_instead_of_the_rest(hub: Server, part: Path) -> None:
    leave(part, OTHER[: STEP_BYTES + 3])
    hub.answers = [Answer(ranges=False)]
    await fetch(hub, part)
    assert kept(part) == DATA and len(hub.seen) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(status=416),
        Answer(status=206, headers={"Content-Range": f"bytes 0-{len(DATA) - 1}/{len(DATA)}"}),
        Answer(headers={"Content-Range": f"bytes 5-{len(DATA)}/{len(DATA) + 1}"}),
    ],
)
async def test_a_rest_that_does_not_fit_begins_anew(hub: Server, part: Path, wrong: Answer) -> None:
    leave(part, OTHER[:5])
    hub.answers = [wrong, Answer()]
    await fetch(hub, part)
    assert kept(part) == DATA and hub.ranges == ["bytes=5-", None]


async def test_a_half_that_is_too_long_begins_anew(hub: Server, part: Path) -> None:
    leave(part, DATA + b"more")
    await fetch(hub, part)
    assert kept(part) == DATA and hub.ranges == [None]


async def test_a_file_that_changes_meanwhile_begins_anew(hub: Server, part: Path) -> None:
    first, second = {"ETag": '"one"'}, {"ETag": '"two"'}
    hub.answers = [
        Answer(data=OTHER, headers=first, cut=STEP_BYTES), Answer(headers=second), Answer(),
    ]  # fmt: skip
    await fetch(hub, part)
    assert kept(part) == DATA
    assert hub.ranges == [None, f"bytes={STEP_BYTES}-", None]
    assert [headers.get("if-range") for headers in hub.seen] == [None, '"one"', None]


async def test_more_than_the_file_is_not_kept(hub: Server, part: Path) -> None:
    hub.answers = [Answer(data=DATA + b"more")]
    with pytest.raises(UpstreamError, match="more than the file"):
        await fetch(hub, part)
    assert len(kept(part)) <= len(DATA)


async def test_a_wrong_digest_leaves_nothing(hub: Server, part: Path) -> None:
    hub.answers = [Answer(data=OTHER)]
    with pytest.raises(StorageError) as caught:
        await fetch(hub, part)
    assert caught.value.code == "digest_mismatch" and not there(part)


def test_small_files_are_known_by_git(tmp_path: Path) -> None:
    blob, link = tmp_path / "blob", tmp_path / "link"
    blob.write_bytes(b"hello\n")
    link.symlink_to(blob)
    check_digest(link, HubFile("a", 6, git="ce013625030ba8dba906f756967f9e9ca394464a"))
    check_digest(link, HubFile("a", 6))
    with pytest.raises(StorageError):
        check_digest(link, HubFile("a", 6, git="0" * 40))
    assert list(tmp_path.iterdir()) == []


async def test_another_host_gets_no_token(hub: Server, part: Path, make_server: MakeServer) -> None:
    storage = await make_server()
    storage.answers = [Answer(cut=STEP_BYTES), Answer()]
    hub.answers = [Answer(status=302, headers={"Location": f"{storage.url}/blob"})]
    await fetch(hub, part)
    assert kept(part) == DATA
    assert [headers.get("authorization") for headers in storage.seen] == [None, None]
    assert [headers["authorization"] for headers in hub.seen] == ["Bearer t0ken"] * 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_an_address_of_the_storage_that_is_too_old(
    hub: Server, part: Path, make_server: MakeServer, status: int
) -> None:
    storage = await make_server()
    storage.answers = [Answer(status=status), Answer()]
    hub.answers = [Answer(status=302, headers={"Location": f"{storage.url}/blob"})]
    await fetch(hub, part)
    assert kept(part) == DATA and len(hub.seen) == 2
    storage.answers = [Answer(status=status)]
    leave(part, b"")
    with pytest.raises(UpstreamError, match="storage behind Hugging Face"):
        await fetch(hub, part)


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (401, Forbidden, 1), (403, UpstreamError, 1), (404, ModelNotFound, 1),
            (410, UpstreamError, 1),
        (429, RateLimited, 1), (500, UpstreamError, ATTEMPTS), (503, UpstreamError, ATTEMPTS),
    ],
)  # fmt: skip
async def test_refusals(
    hub: Server, part: Path, status: int, kind: type[VenomError], tries: int
) -> None:
    leave(part, DATA[:9])
    hub.answers = [Answer(status=status, headers={"Retry-After": "7"})]
    with pytest.raises(kind) as caught:
        await fetch(hub, part)
    assert len(hub.seen) == tries
    assert caught.value.retry_after == (7 if status == 429 else None)
    assert kept(part) == DATA[:9]


async def test_nobody_there(part: Path) -> None:
    gone = Server()
    gone.url = "http://127.0.0.1:9"
    with pytest.raises(Unavailable) as caught:
        await fetch(gone, part)
    assert caught.value.code == "hub_unreachable"


async def test_a_full_disk_keeps_what_is_there(
    hub: Server, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Path.open

    def opened(self: Path, mode: str = "r", *rest: Any, **options: Any) -> Any:
        if mode == "r+b":
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(NoDiskSpace):
        await fetch(hub, part)
    assert len(kept(part)) == STEP_BYTES and len(hub.seen) == 1


async def test_closing_keeps_the_half(hub: Server, part: Path) -> None:
    async with HubConnections(hub.url, None) as connections:
        steps = HubDownload(connections, f"{hub.url}/m.gguf", WHOLE, part).steps()
        async for have in steps:
            if have >= STEP_BYTES:
                break
        await steps.aclose()
    assert kept(part) == DATA[:STEP_BYTES]
    hub.sent = 0
    await fetch(hub, part)
    assert kept(part) == DATA and hub.sent == len(DATA) - STEP_BYTES


@pytest.mark.parametrize(
    ("headers", "kind", "fix"),
    [
        ({"X-Error-Code": "GatedRepo"}, Forbidden, "Accept its licence"),
        ({}, UpstreamError, "Check the proxy"),
        ({"X-Error-Code": "InvalidSignature"}, UpstreamError, "Check the proxy"),
    ],
)
async def test_a_403_is_about_terms_where_the_hub_says_so(
    hub: Server, part: Path, headers: dict[str, str], kind: type[VenomError], fix: str
) -> None:
    hub.answers = [Answer(status=403, headers=headers)]
    with pytest.raises(kind) as caught:
        await fetch(hub, part)
    assert fix in str(caught.value.fix)
