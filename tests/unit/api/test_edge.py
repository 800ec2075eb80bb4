"""At the door, before any route: offers, encodings, origins, slashes, probes."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import venom_core.api
from tests.served import served
from tests.unit.api.conftest import MakeVenom
from venom_core.api.app import create_app
from venom_core.api.cross_origin import EXPOSED
from venom_core.api.encoded_bodies import PIECE
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience
from venom_core.testing.scripted import Script, answer
from venom_core.testing.staging import client_of

CHAT = "/v1/chat/completions"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
RAW = json.dumps(BODY).encode()


@pytest.fixture(autouse=True)
def model() -> None:
    scripted.SCRIPTS["m"] = Script(answer("x"))


# -- an offer to go on with another protocol ------------------------------------------------------

H2C = (
    b"Connection: Upgrade, HTTP2-Settings\r\n"
    b"HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAABkAAQBAAAAAAUAAEAA\r\nUpgrade: h2c\r\n"
)
OFFERS = {
    "java": H2C,
    "java, keeping the connection": H2C.replace(b"Upgrade, HTTP2", b"keep-alive, upgrade, http2"),
    "websocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n",
    "tls": b"Connection: upgrade\r\nUpgrade: TLS/1.3, HTTP/1.1\r\n",
    "two headers": b"Connection: keep-alive\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n",
    "none": b"",
}


def posted(offer: bytes, body: bytes = RAW, *, chunked: bool = False) -> bytes:
    head = b"POST " + CHAT.encode() + b" HTTP/1.1\r\nHost: localhost\r\n" + offer
    if chunked:
        size = f"{len(body):x}\r\n".encode()
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + size + body + b"\r\n0\r\n\r\n"
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


@asynccontextmanager
async def connection(
    make_venom: MakeVenom,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    async with served(create_app(make_venom())) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            yield reader, writer
        finally:
            writer.close()


async def answered(reader: asyncio.StreamReader) -> tuple[int, dict[str, Any]]:
    async with asyncio.timeout(patience(10)):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        return int(head.split()[1]), json.loads(await reader.readexactly(length))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
async def test_an_offer_is_passed_over_and_its_body_kept(
    make_venom: MakeVenom, offer: bytes, chunked: bool
) -> None:
    async with connection(make_venom) as (reader, writer):
        for _ in range(2):  # the second on the same connection
            writer.write(posted(offer, chunked=chunked))
            status, body = await answered(reader)
            assert status == 200, body
    assert len(scripted.SEEN.requests) == 2


@pytest.mark.parametrize("size", [1, 7, 100])
async def test_an_offer_in_pieces(make_venom: MakeVenom, size: int) -> None:
    """A head that ends in the middle of what is read."""
    data = posted(H2C)
    async with connection(make_venom) as (reader, writer):
        for start in range(0, len(data), size):
            writer.write(data[start : start + size])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answered(reader))[0] == 200


async def test_many_offers_at_once_are_answered_in_their_order(make_venom: MakeVenom) -> None:
    models = [f"none-{number}" for number in range(30)]
    offers = [posted(H2C, json.dumps({**BODY, "model": name}).encode()) for name in models]
    async with connection(make_venom) as (reader, writer):
        writer.write(b"".join(offers))
        for name in models:
            status, body = await answered(reader)
            assert status == 404
            assert name in body["error"]["message"]


async def test_a_large_body_behind_an_offer(make_venom: MakeVenom) -> None:
    long = {**BODY, "messages": [{"role": "user", "content": "x" * 3_000_000}]}
    async with connection(make_venom) as (reader, writer):
        writer.write(posted(H2C, json.dumps(long).encode()))
        assert (await answered(reader))[0] == 200
    assert len(scripted.SEEN.requests[0].body["messages"][0]["content"]) == 3_000_000


async def test_what_is_no_http_is_still_refused(make_venom: MakeVenom) -> None:
    async with connection(make_venom) as (reader, writer):
        writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        async with asyncio.timeout(patience(10)):
            assert b" 400 " in await reader.readline()


# -- a body in an encoding ------------------------------------------------------------------------


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


ENCODED = {
    "gzip": ("gzip", gzip.compress(RAW, mtime=0)),
    "x-gzip": ("x-gzip", gzip.compress(RAW, mtime=0)),
    "GZIP": ("GZIP", gzip.compress(RAW, mtime=0)),
    "gzip in two": ("gzip", gzip.compress(RAW[:20], mtime=0) + gzip.compress(RAW[20:])),
    "deflate": ("deflate", zlib.compress(RAW)),
    "raw deflate": ("deflate", raw_deflate(RAW)),
    "identity": ("identity", RAW),
    "empty": ("", RAW),
}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("coding", "body"), ENCODED.values(), ids=ENCODED)
async def test_an_encoded_body_is_read(
    client: httpx.AsyncClient, coding: str, body: bytes, whole: bool
) -> None:
    async def bytewise() -> Any:
        for place in range(len(body)):
            yield body[place : place + 1]

    content = body if whole else bytewise()
    response = await client.post(CHAT, content=content, headers={"Content-Encoding": coding})
    assert response.status_code == 200, response.text
    assert scripted.SEEN.requests[0].body["messages"] == BODY["messages"]


async def test_our_own_routes_take_encoded_bodies_too(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/api/v1/models/aliases",
        content=gzip.compress(json.dumps({"name": "short", "target": "m"}).encode()),
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    ("coding", "body", "status", "code"),
    [
        ("gzip", RAW, 400, "invalid_request_error"),
        ("gzip", gzip.compress(RAW, mtime=0)[:-9], 400, "invalid_request_error"),
        ("gzip", gzip.compress(RAW, mtime=0) + b"more", 400, "invalid_request_error"),
        ("gzip", b"", 400, "invalid_request_error"),
        ("deflate", b"\x78\x9c\xff\xff", 400, "invalid_request_error"),
        ("br", RAW, 415, "unsupported_encoding"),
        ("zstd", RAW, 415, "unsupported_encoding"),
        (
            "gzip, gzip",
            gzip.compress(gzip.compress(RAW, mtime=0), mtime=0),
            415,
            "unsupported_encoding",
        ),
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/api/v1/models/aliases"])
async def test_what_cannot_be_decoded_is_said(
    client: httpx.AsyncClient, coding: str, body: bytes, status: int, code: str, path: str
) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
    response = await client.post(path, content=body, headers=headers)
    if body == b"" and path != CHAT:
        status, code = 422, "invalid_request_error"  # no body, as without an encoding
    refusal = response.json().get("error") or response.json()
    assert (response.status_code, refusal["code"]) == (status, code)
    assert status == 422 or body == b"" or refusal["fix"]


@pytest.mark.parametrize("path", [CHAT, "/api/v1/models/aliases"])
async def test_a_small_body_that_would_be_gigabytes(
    client: httpx.AsyncClient, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS + 16)
    packed = b"".join(packer.compress(b"[" * 1024 * 1024) for _ in range(300)) + packer.flush()
    assert len(packed) < 400_000
    made = Made(monkeypatch)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    response = await client.post(path, content=packed, headers=headers)
    assert response.status_code == 413
    assert "request_too_large" in response.text
    assert max(made.pieces) <= PIECE
    assert sum(made.pieces) <= 17 * 1024 * 1024, "it was unpacked on after its limit"


class Made:
    """The sizes of what is unpacked from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: list[int] = []
        real = zlib.decompressobj
        monkeypatch.setattr(zlib, "decompressobj", lambda bits: _Counted(real(bits), self.pieces))


class _Counted:
    def __init__(self, inflater: Any, pieces: list[int]) -> None:
        self._inflater = inflater
        self._pieces = pieces

    def decompress(self, data: bytes, most: int) -> bytes:
        piece: bytes = self._inflater.decompress(data, most)
        self._pieces.append(len(piece))
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inflater, name)


# -- pages of other origins -----------------------------------------------------------------------

PAGE = "https://app.example"
ASKED = (
    "authorization, content-type",
    "x-stainless-arch, x-stainless-lang, x-stainless-os",
    "x-stainless-package-version, x-stainless-retry-count, x-stainless-runtime",
    "x-stainless-runtime-version, x-stainless-timeout",
    "http-referer, x-title",
    "x-api-key, anthropic-version, anthropic-beta, anthropic-dangerous-direct-browser-access",
    "openai-organization, openai-project, openai-beta",
    "venom-queue, venom-explain, last-event-id",
    "a-header-that-nobody-has-heard-of",
)


@pytest.mark.parametrize("origins", [PAGE, f"{PAGE}/", "https://APP.example"])
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("path", [CHAT, "/api/v1/models/install"])
async def test_a_page_of_an_allowed_origin_may_send_any_header(
    make_venom: MakeVenom, origins: str, asked: str, path: str
) -> None:
    preflight = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
        "Access-Control-Request-Private-Network": "true",
    }
    async with client_of(make_venom(VENOM_ALLOWED_ORIGINS=origins)) as client:
        response = await client.options(path, headers=preflight)
        assert response.status_code == 200, response.text
        assert response.headers["access-control-allow-origin"] == PAGE
        assert response.headers["access-control-allow-private-network"] == "true"
        allowed = response.headers["access-control-allow-headers"].lower().replace(" ", "")
        assert set(asked.replace(" ", "").split(",")) <= set(allowed.split(","))
        response = await client.options(
            path, headers={**preflight, "Origin": "https://evil.example"}
        )
        assert response.status_code == 403
        assert "access-control-allow-origin" not in response.headers
        assert "access-control-allow-private-network" not in response.headers


async def test_a_page_of_an_allowed_origin_may_read_our_headers(make_venom: MakeVenom) -> None:
    async with client_of(make_venom(VENOM_ALLOWED_ORIGINS=PAGE)) as client:
        for path in (CHAT, "/api/v1/nothing"):
            response = await client.post(path, json=BODY, headers={"Origin": PAGE})
            exposed = response.headers["access-control-expose-headers"].split(", ")
            assert set(exposed) == set(EXPOSED)
            ours = {name for name in response.headers if name.startswith(("venom-", "x-"))}
            assert ours <= {name.lower() for name in EXPOSED}


def test_every_header_that_the_api_sets_is_exposed() -> None:
    """Read in the source: some are sent only where something is amiss."""
    source = "".join(
        path.read_text("utf-8") for path in Path(venom_core.api.__path__[0]).rglob("*.py")
    )
    sent = set(re.findall(r'headers\["([A-Z][\w-]+)"\] =|\{"((?:X|Venom)-[\w-]+)":', source))
    names = {name for pair in sent for name in pair if name} - {"Set-Cookie"}
    assert len(names) > 5
    assert names <= set(EXPOSED)


# -- redirects and probes -------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/venom"])
@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/docs", "/docs/"),
        ("/api/v1/overview/", "/api/v1/overview"),
        ("/api/v1/usage/summary/?a=b%20c&d", "/api/v1/usage/summary?a=b%20c&d"),
        ("/v1/chat/completions/", "/v1/chat/completions"),
        ("/healthz/", "/healthz"),
    ],
)
async def test_a_redirect_leads_where_the_client_came_from(
    make_venom: MakeVenom, prefix: str, path: str, target: str
) -> None:
    environment = {"VENOM_ROOT_PATH": prefix} if prefix else {}
    async with client_of(make_venom(**environment)) as client:
        for way in {path, prefix + path}:  # some proxies take the prefix off
            response = await client.get(way)
            assert response.status_code == 307
            assert response.headers["location"] == prefix + target, "no scheme, no host"


@pytest.mark.parametrize(
    "path", ["//evil.example/healthz/", "//evil.example/v1/models/", "/v1//evil/", "/nothing/", "/"]
)
async def test_no_redirect_leads_elsewhere(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(
        httpx.URL("http://127.0.0.1:8366").copy_with(raw_path=path.encode())
    )
    assert "location" not in response.headers


@pytest.mark.parametrize("path", ["/healthz", "/health", "/v1/health"])
async def test_every_name_of_the_probe(make_venom: MakeVenom, path: str) -> None:
    venom = make_venom()
    venom.store.keys().create("laptop")
    async with client_of(venom) as client:
        response = await client.get(path)
        assert (response.status_code, response.json()["status"]) == (200, "ok")
        assert (await client.head(path)).status_code == 200


async def test_programs_find_the_documentation_where_they_look_for_it(
    make_venom: MakeVenom,
) -> None:
    async with client_of(make_venom()) as client:
        for name in ("llms.txt", "llms-full.txt"):
            sent = await client.get(f"/{name}")
            assert sent.headers["location"] == f"/docs/{name}"
            text = (await client.get(sent.headers["location"])).text
            assert "# Venom\n" in text
