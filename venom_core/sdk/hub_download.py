"""Fetching a file of a Hugging Face Hub: resumed where it broke off, checked before it is used.

Redirects are followed here and not by the client, so that the token goes to the Hub alone and not
to the storage that the Hub points at; and each try asks the Hub again, because the storage's
addresses hold for an hour.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

from venom_core.sdk import http, numbers
from venom_core.sdk.disk import MODEL_STORE, Place, discard, disk_errors, sha256_of
from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VenomError,
)

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

#: What to do about answers that no Hub gives.
ANOTHER_PROGRAM = "Check the proxy and HF_ENDPOINT: another program may answer there."
MAX_REDIRECTS = 5
#: Tries in a row that bring nothing new.
ATTEMPTS = 4
BACKOFF_SECONDS = 0.5
#: Written whole or not at all: so much may be lost with each end, and progress is told as often.
STEP_BYTES = 256 * 1024
RATE_LIMIT_SECONDS = 60.0
READ_TIMEOUT = 60.0
_REDIRECTS = (301, 302, 303, 307, 308)
_TRANSIENT = (408, 416, 500, 502, 503, 504)
#: What a storage answers for an address that is no longer valid.
_EXPIRED = (400, 401, 403, 404)
_RANGE = re.compile(r"bytes (\d{1,19})-\d{1,19}/(\d{1,19}|\*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository, as the Hub lists it. ``sha256`` is known of large files, ``git``
    (the blob's id in git, a sha1) of small ones."""

    name: str
    size_bytes: int
    sha256: str | None = None
    git: str | None = None


#: The Hub's word for a model whose terms have not been accepted; a storage or a proxy, whose 403 is
#: about something else, does not say it.
GATED = "GatedRepo"


def refused() -> UpstreamError:
    """Return the refusal for a 403 that is not about a model's terms."""
    return UpstreamError(
        "Hugging Face, or a proxy on the way to it, refuses this (403).",
        fix="Check the proxy, and what HF_TOKEN may read; then fetch it again: it goes on from "
        "there.",
    )


class HubConnections:
    """GET with redirects, over one client for each host; for one event loop.

    Args:
        endpoint: ``https://huggingface.co`` or a mirror of it.
        token: sent to the endpoint's host and to no other.
        read_timeout: seconds without a byte after which an answer counts as stalled.
    """

    def __init__(
        self, endpoint: str, token: str | None, *, read_timeout: float = READ_TIMEOUT
    ) -> None:
        self._origin = _origin(endpoint)
        self._token = token
        self._read_timeout = read_timeout
        self._clients: dict[tuple[str, str, int], httpx.AsyncClient] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.aclose()

    @contextlib.asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx.Response, None]:
        """Return the answer 200 or 206 to a GET. Raises what any other stands for, as
        :func:`refusal_of` has it, and what an address or a connection that fails is called."""
        async with self.ask(url, headers) as response:
            if response.status_code not in (200, 206):
                raise self.refusal_of(response)
            yield response

    @contextlib.asynccontextmanager
    async def ask(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx.Response, None]:
        """Return the answer to a GET, whatever its status, after at most five redirects."""
        for _ in range(MAX_REDIRECTS):
            async with self._once(url, headers) as response:
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                target = urljoin(url, response.headers.get("location", ""))
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise UpstreamError(
                    "Hugging Face pointed at an address that is not encrypted.", fix=ANOTHER_PROGRAM
                )
            url = target
        raise UpstreamError("Hugging Face redirected too many times.", fix=ANOTHER_PROGRAM)

    def is_elsewhere(self, response: httpx.Response) -> bool:
        """Return whether an answer came from another host than the endpoint's."""
        return _origin(str(response.request.url)) != self._origin

    def refusal_of(self, response: httpx.Response) -> VenomError:
        """Return the refusal that a status stands for."""
        status = response.status_code
        if self.is_elsewhere(response) and status in _EXPIRED:
            return UpstreamError(
                "The storage behind Hugging Face refuses the download.",
                fix="Fetch it again: it goes on from there.",
            )
        if status == 403 and response.headers.get("x-error-code") != GATED:
            return refused()
        if status in (401, 403):
            return Forbidden(
                "Hugging Face does not give this model to everybody, or has no such model.",
                code="model_gated",
                fix="Accept its licence on its page at huggingface.co, then set HF_TOKEN.",
            )
        if status == 404:
            return ModelNotFound(
                "Hugging Face has no such model.", param="name", fix="Look it up at huggingface.co"
            )
        if status == 429:
            return rate_limited(response.headers.get("retry-after"))
        return UpstreamError(f"Hugging Face answered {status}.", fix="Try again later.")

    @contextlib.asynccontextmanager
    async def _once(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx.Response, None]:
        origin = _origin(url)
        if origin not in self._clients:
            self._clients[origin] = http.make_download_client(url, read_timeout=self._read_timeout)
        import httpx

        client = self._clients[origin]
        sent = {"Accept-Encoding": "identity", **headers}
        if self._token and origin == self._origin:
            sent["Authorization"] = f"Bearer {self._token}"
        try:
            async with client.stream("GET", url, headers=sent) as response:
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise unreachable() from error
        except httpx.TimeoutException as error:
            raise too_late() from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise broken_off() from error


class HubDownload:
    """The download of one file into ``part``, which goes on from what lies there.

    Args:
        url: the Hub's address of the file.
        part: named after the file's digest, so that halves of two versions are never joined.
        place: the folder that is written to, in words.
    """

    def __init__(
        self,
        hub: HubConnections,
        url: str,
        file: HubFile,
        part: Path,
        *,
        place: Place = MODEL_STORE,
    ) -> None:
        self._hub = hub
        self._url = url
        self._file = file
        self._part = part
        self._place = place
        self._etag: str | None = None

    async def steps(self) -> AsyncGenerator[int, None]:
        """Bring ``part`` to the file's size; yields the bytes that it has. Closing the generator
        keeps them.

        A connection that breaks, and a status that may pass, is tried again, as long as a few
        tries in a row bring something new. Raises ``Forbidden``, ``ModelNotFound``,
        ``RateLimited``, ``Unavailable``, ``UpstreamError``, ``UpstreamTimeout`` and
        ``StorageError``.
        """
        left, most = ATTEMPTS, -1
        while True:
            have = await asyncio.to_thread(self._kept)
            yield have
            if have == self._file.size_bytes:
                await asyncio.to_thread(self._settle)
                return
            if have > most:
                left, most = ATTEMPTS, have
            try:
                async with self._hub.ask(self._url, self._headers(have)) as response:
                    if not self._may_pass(response):
                        left = 0
                    async with contextlib.aclosing(self._take(response, have)) as pieces:
                        async for have in pieces:
                            yield have
            except (UpstreamError, UpstreamTimeout, Unavailable):
                left -= 1
                if left <= 0:
                    raise
                logger.warning(
                    "the download broke off at %d of %d bytes; going on",
                    have, self._file.size_bytes,
                )  # fmt: skip
                await asyncio.sleep(BACKOFF_SECONDS * 2 ** (ATTEMPTS - 1 - left))

    async def verify(self) -> None:
        """Compare the digest of ``part``; raise as :func:`check_digest`."""
        await asyncio.to_thread(check_digest, self._part, self._file, self._place)

    def _headers(self, have: int) -> dict[str, str]:
        if not have:
            return {}
        changed = {"If-Range": self._etag} if self._etag else {}
        return {"Range": f"bytes={have}-", **changed}

    def _may_pass(self, response: httpx.Response) -> bool:
        status = response.status_code
        if status in _EXPIRED:
            return self._hub.is_elsewhere(response)
        return status in (200, 206) or status in _TRANSIENT

    async def _take(self, response: httpx.Response, have: int) -> AsyncGenerator[int, None]:
        """Write the body of an answer where it belongs, in whole steps."""
        size = self._file.size_bytes
        etag = response.headers.get("etag", "")
        fits = response.status_code == 200 or (
            response.status_code == 206
            and self._continues(response.headers.get("content-range", ""), have)
            and (self._etag is None or etag in ("", self._etag))
        )
        if not fits and response.status_code in (206, 416):
            await asyncio.to_thread(discard, self._part)
            self._etag = None
            raise UpstreamError(
                "Hugging Face cannot go on with the file from where it broke off.",
                fix=ANOTHER_PROGRAM,
            )
        if not fits:
            raise self._hub.refusal_of(response)
        self._etag = etag if etag.startswith('"') else None  # a weak one says nothing of bytes
        at, buffer = (have if response.status_code == 206 else 0), bytearray()
        async for chunk in response.aiter_raw():
            buffer += chunk
            if at + len(buffer) > size:
                raise UpstreamError("Hugging Face sent more than the file.", fix=ANOTHER_PROGRAM)
            while len(buffer) >= STEP_BYTES:
                at = await self._write(at, buffer)
                yield at
        while buffer:
            at = await self._write(at, buffer)
            yield at
        if at != size:
            raise UpstreamError(
                "Hugging Face sent less than the file.",
                fix="Fetch it again: it goes on from there.",
            )

    def _continues(self, span: str, have: int) -> bool:
        found = _RANGE.fullmatch(span)
        if found is None:
            return not span  # a server that does not say is taken at its status
        return int(found[1]) == have and found[2] in ("*", str(self._file.size_bytes))

    async def _write(self, at: int, buffer: bytearray) -> int:
        """Write one step from the buffer's start; returns where the next belongs."""
        step = bytes(buffer[:STEP_BYTES])
        del buffer[:STEP_BYTES]
        await asyncio.to_thread(self._put, at, step)
        return at + len(step)

    def _put(self, at: int, data: bytes) -> None:
        with disk_errors(self._place), self._part.open("r+b" if at else "wb") as file:
            file.seek(at)
            file.write(data)

    def _kept(self) -> int:
        with disk_errors(self._place):
            have = self._part.stat().st_size if self._part.exists() else 0
            if have > self._file.size_bytes:
                self._part.unlink()
                return 0
            return have

    def _settle(self) -> None:
        with disk_errors(self._place), self._part.open("ab") as file:  # an empty file too
            os.fsync(file.fileno())


def check_digest(path: Path, file: HubFile, place: Place = MODEL_STORE) -> None:
    """Raise ``StorageError`` where a file is not what the Hub lists; it is removed then, and what
    it links to, before anybody can use it."""
    with disk_errors(place):
        right = digest_of(path, file) in (file.sha256 or file.git, None)
    if not right:
        raise reject(path, file.name, place)


def reject(path: Path, name: str, place: Place = MODEL_STORE) -> StorageError:
    """Remove a file that is not what it should be, and return the refusal."""
    with disk_errors(place):
        Path(os.path.realpath(path)).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    return StorageError(
        f"What was fetched as {name} is not what it should be: its digest differs. It was removed.",
        code="digest_mismatch",
        fix="Fetch it again; if it happens again, a proxy on the way is not to be trusted.",
    )


def digest_of(path: Path, file: HubFile) -> str | None:
    """Return the digest by which the Hub knows the file: sha256 of a large one, git's id of a small
    one; None where the Hub said none."""
    if file.sha256:
        return sha256_of(path)
    if not file.git:
        return None
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def unreachable() -> Unavailable:
    """Return the refusal where no connection comes about."""
    return Unavailable(
        "Hugging Face cannot be reached.",
        code="hub_unreachable",
        fix="Check the network and the proxy; a mirror is named with HF_ENDPOINT.",
    )


def too_late() -> UpstreamTimeout:
    """Return the refusal where the Hub is silent for too long."""
    return UpstreamTimeout(
        "Hugging Face did not answer in time.", fix="Try again; check the network and the proxy."
    )


def broken_off() -> UpstreamError:
    """Return the refusal of a download that ends before its end."""
    return UpstreamError(
        "The download from Hugging Face broke off.", fix="Fetch it again: it goes on from there."
    )


def rate_limited(retry_after: str | None) -> RateLimited:
    """Return the refusal of an answer 429; ``retry_after`` is its header."""
    wait = numbers.seconds(retry_after, "hub.retry-after")
    return RateLimited(
        "Hugging Face asks for fewer requests.",
        fix="Try again later; with HF_TOKEN set, more are allowed.",
        retry_after=RATE_LIMIT_SECONDS if wait is None else max(wait, 1.0),
    )


def _origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port, as they count for who gets the token."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        if parts.scheme in ("http", "https") and port is not None and parts.hostname:
            return parts.scheme, parts.hostname, port
    raise UpstreamError(
        "Hugging Face pointed at an address that cannot be used.", fix=ANOTHER_PROGRAM
    )
