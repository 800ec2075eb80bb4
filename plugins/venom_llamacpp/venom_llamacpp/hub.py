"""Fetching ``hf.co/org/repo[:QUANT]``: one GGUF file from Hugging Face, resumed where it broke off.

Source: the Hub's HTTP API (``/api/models/{repo}/tree``, ``/{repo}/resolve/{revision}/{file}``).
Redirects are followed here and not by the client, so that the token goes to the Hub alone and not
to the storage that the Hub points at.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from venom_core.sdk import http
from venom_core.sdk.disk import discard, disk_errors, sha256_of
from venom_core.sdk.errors import (
    Forbidden,
    ModelNotFound,
    RateLimited,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from venom_core.sdk.gguf import GgufHeader, HeaderCut, NotGguf, header_of, read_header
from venom_core.sdk.hub_files import DEFAULT_LABEL, HubRef, is_gguf_model, is_part
from venom_core.sdk.openai_engine import read_bounded
from venom_core.sdk.provider import PullPlan, PullProgress
from venom_llamacpp.store import ModelStore, digest_mismatch, prepare

if TYPE_CHECKING:
    import httpx

    from venom_core.sdk.upstream import Upstream

logger = logging.getLogger(__name__)

MAX_LISTING_BYTES = 16 * 1024 * 1024
MAX_PAGES = 20
MAX_REDIRECTS = 5
ATTEMPTS = 4
BLOCK = 1024 * 1024
#: How much of a file is read for its header; a vocabulary alone takes several megabytes.
HEADER_STEPS = (2 * BLOCK, 12 * BLOCK, 48 * BLOCK)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')


def hub_reference(text: str) -> HubRef | None:
    """Read ``hf.co/org/repo[:LABEL]``; None where the text is none. Revisions are not taken."""
    found = HubRef.parse(text, with_host=True)
    return None if found is None or found.revision is not None else found


def listed_name(ref: HubRef) -> str:
    """Return the name under which a reference is listed: always with its label."""
    return replace(ref, label=ref.label or DEFAULT_LABEL).with_host


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of a repository, as its listing describes it."""

    name: str
    size_bytes: int
    sha256: str


class Hub:
    """Pulls from one Hub.

    Args:
        endpoint: ``https://huggingface.co`` or a mirror of it.
        token: sent to the endpoint's host and to no other.
    """

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._token = token

    async def plan(self, store: ModelStore, ref: HubRef) -> PullPlan:
        """Return what a pull would fetch. Raises like :meth:`pull`."""
        async with contextlib.AsyncExitStack() as stack:
            hub = _Connections(self._endpoint, self._token)
            stack.push_async_callback(hub.close)
            file = choose(await self._listing(hub, ref), ref)
        have = await asyncio.to_thread(_size, store.part(listed_name(ref), file.sha256))
        return PullPlan(listed_name(ref), file.size_bytes, have, folder=store.folder)

    async def pull(self, store: ModelStore, ref: HubRef) -> AsyncGenerator[PullProgress, None]:
        """Fetch a model into the store. Closing the generator keeps what came so far.

        Raises ``ModelNotFound`` naming the quantizations there are, ``Forbidden``
        (``model_gated``), ``Unavailable`` (``hub_unreachable``), ``StorageError``.
        """
        async with contextlib.AsyncExitStack() as stack:
            hub = _Connections(self._endpoint, self._token)
            stack.push_async_callback(hub.close)
            file = choose(await self._listing(hub, ref), ref)
            part = store.part(listed_name(ref), file.sha256)
            have = await asyncio.to_thread(_size, part)
            await asyncio.to_thread(prepare, store, file.size_bytes - have, listed_name(ref))
            message = f"Fetching {file.name}"
            url = f"{self._endpoint}/{ref.repo}/resolve/main/{quote(file.name)}"
            most = have
            # Closing a generator does not close those it reads from.
            async with contextlib.aclosing(_download(hub, url, part, file.size_bytes)) as download:
                async for done in download:
                    most = max(most, done)
                    yield PullProgress("pulling", message, most, file.size_bytes)
            total = file.size_bytes
            yield PullProgress("verifying", f"Checking {file.name}", total, total)
            if await asyncio.to_thread(sha256_of, part) != file.sha256:
                await asyncio.to_thread(discard, part)
                raise digest_mismatch(listed_name(ref))
            header = await asyncio.to_thread(_header, part)
            name = listed_name(ref)
            await asyncio.to_thread(store.publish, name, part, file.sha256, facts_of(header))
            yield PullProgress("completed", f"{name} is ready", total, total)

    async def header(self, ref: HubRef) -> tuple[HubFile, GgufHeader]:
        """Return the header of the file that a pull would fetch, read by range requests; nothing is
        written. Raises as ``pull`` does, and ``UpstreamError`` where it is no usable GGUF file."""
        async with contextlib.AsyncExitStack() as stack:
            hub = _Connections(self._endpoint, self._token)
            stack.push_async_callback(hub.close)
            file = choose(await self._listing(hub, ref), ref)
            url = f"{self._endpoint}/{ref.repo}/resolve/main/{quote(file.name)}"
            data = bytearray()
            for length in HEADER_STEPS:
                await _read_to(hub, url, data, min(length, file.size_bytes))
                try:
                    found = await asyncio.to_thread(
                        header_of, io.BytesIO(data), file.size_bytes, len(data)
                    )
                except HeaderCut:
                    continue
                except NotGguf as error:
                    raise _unusable(error) from error
                return file, found
        raise _unusable(NotGguf("it ends in the middle of its header, or its header is too large"))

    async def _listing(self, hub: _Connections, ref: HubRef) -> list[HubFile]:
        url: str | None = f"{self._endpoint}/api/models/{ref.repo}/tree/main?recursive=1"
        files: list[HubFile] = []
        for _ in range(MAX_PAGES):
            if url is None:
                break
            async with hub.get(url, {}) as response:
                body = await read_bounded(response, MAX_LISTING_BYTES)
                following = _NEXT.search(response.headers.get("link", ""))
            files += parse_listing(body)
            url = urljoin(url, following[1]) if following else None
        return files


class _Connections:
    """GET with redirects, over one client for each host."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self._origin = _origin(endpoint)
        self._token = token
        self._clients: dict[str, Upstream] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    @contextlib.asynccontextmanager
    async def get(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx.Response, None]:
        """Return the answer 200, 206 or 416 to a GET. Raises what any other stands for."""
        for _ in range(MAX_REDIRECTS):
            async with self._once(url, headers) as response:
                if response.status_code not in (301, 302, 303, 307, 308):
                    if response.status_code not in (200, 206, 416):
                        raise _refusal(response)
                    yield response
                    return
                target = urljoin(url, response.headers.get("location", ""))
            if urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https":
                raise UpstreamError("Hugging Face pointed at an address that is not encrypted.")
            url = target
        raise UpstreamError("Hugging Face redirected too many times.")

    @contextlib.asynccontextmanager
    async def _once(
        self, url: str, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx.Response, None]:
        import httpx

        origin = _origin(url)
        if origin not in self._clients:
            self._clients[origin] = http.make_client(origin, read_timeout=60.0)
        sent = {"Accept-Encoding": "identity", **headers}
        if self._token and origin == self._origin:
            sent["Authorization"] = f"Bearer {self._token}"
        try:
            async with http.open_stream(
                self._clients[origin], "GET", url.removeprefix(origin) or "/", headers=sent
            ) as response:
                yield response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(
                "Hugging Face cannot be reached.",
                code="hub_unreachable",
                fix="Check the network and proxy; the built-in models come from the package index.",
            ) from error


async def _read_to(hub: _Connections, url: str, data: bytearray, length: int) -> None:
    """Go on reading a file from where ``data`` ends, until it has ``length`` bytes."""
    if len(data) >= length:
        return
    async with hub.get(url, {"Range": f"bytes={len(data)}-{length - 1}"}) as response:
        if response.status_code != 206:
            data.clear()  # ranges are not served: what comes begins at the first byte
        async for chunk in response.aiter_raw():
            data += chunk[: length - len(data)]
            if len(data) >= length:
                return


async def _download(
    hub: _Connections, url: str, part: Path, size: int
) -> AsyncGenerator[int, None]:
    """Bring ``part`` to ``size`` bytes, going on from what it holds; yields the bytes it has."""
    for attempt in range(ATTEMPTS):
        have = await asyncio.to_thread(_size, part)
        if have > size:
            await asyncio.to_thread(discard, part)
            have = 0
        yield have
        if have == size:
            return
        try:
            async with hub.get(url, {"Range": f"bytes={have}-"} if have else {}) as response:
                if response.status_code == 416:
                    await asyncio.to_thread(discard, part)
                    continue
                fresh = response.status_code == 200
                start = 0 if fresh else have
                async with contextlib.aclosing(_append(response, part, start, size)) as pieces:
                    async for have in pieces:
                        yield have
        except (UpstreamError, UpstreamTimeout):
            if attempt == ATTEMPTS - 1:
                raise
            logger.warning("the download broke off at %d of %d bytes; going on", have, size)
    if await asyncio.to_thread(_size, part) != size:
        raise UpstreamError(
            "Hugging Face sent less than the file.", fix="Pull it again: it goes on from there."
        )


async def _append(
    response: httpx.Response, part: Path, start: int, size: int
) -> AsyncGenerator[int, None]:
    buffer, have = bytearray(), start
    try:
        async for chunk in response.aiter_raw():
            buffer += chunk
            if have + len(buffer) > size:
                raise UpstreamError("Hugging Face sent more than the file.")
            if len(buffer) >= BLOCK:
                await asyncio.to_thread(_write, part, have, bytes(buffer))
                have += len(buffer)
                buffer.clear()
                yield have
    finally:
        # What came is kept whatever happened, so that a later pull goes on from it.
        if buffer and have + len(buffer) <= size:
            await asyncio.shield(asyncio.to_thread(_write, part, have, bytes(buffer)))
            have += len(buffer)
    yield have


def _write(part: Path, at: int, data: bytes) -> None:
    with disk_errors(), part.open("r+b" if at else "wb") as file:
        file.seek(at)
        file.write(data)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UpstreamError("Hugging Face pointed at an address that cannot be used.")
    return f"{parts.scheme}://{parts.netloc}"


def _refusal(response: httpx.Response) -> Exception:
    status = response.status_code
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
        return RateLimited("Hugging Face asks for fewer requests.", retry_after=60)
    return UpstreamError(f"Hugging Face answered {status}.", fix="Try again later.")


def parse_listing(body: bytes) -> list[HubFile]:
    """Return the whole GGUF files of a page of a repository's listing."""
    try:
        rows = json.loads(body)
        return [file for row in rows if (file := _parse_row(row)) is not None]
    except (ValueError, TypeError, AttributeError) as error:
        raise UpstreamError("Hugging Face's listing is not understood.") from error


def _parse_row(row: Mapping[str, Any]) -> HubFile | None:
    name, lfs = str(row.get("path", "")), row.get("lfs") or {}
    digest = str(lfs.get("oid", "")).removeprefix("sha256:")
    size = lfs.get("size", row.get("size"))
    if not is_gguf_model(name) or is_part(name):
        return None
    if not _SHA256.fullmatch(digest) or not isinstance(size, int) or size <= 0:
        return None  # without a digest nothing could be proved
    return HubFile(name, size, digest)


def choose(files: list[HubFile], ref: HubRef) -> HubFile:
    """Return the file of the asked quantization: the shortest name that has it as a word of its
    own."""
    quant = ref.label or DEFAULT_LABEL
    word = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(quant)}(?![A-Za-z0-9_])", re.IGNORECASE)
    fitting = [file for file in files if word.search(file.name)]
    if not fitting and ref.label is None and len(files) == 1:
        fitting = files
    if not fitting:
        there = ", ".join(sorted(file.name for file in files)[:12]) or "no whole GGUF file at all"
        raise ModelNotFound(
            f"{ref.repo} has no {quant}; it has {there}.",
            param="name",
            fix=f"Name the quantization: venom pull hf.co/{ref.repo}:Q4_K_M",
        )
    return min(fitting, key=lambda file: (len(file.name), file.name))


def _header(path: Path) -> GgufHeader:
    try:
        return read_header(path)
    except NotGguf as error:
        discard(path)
        raise _unusable(error) from error


def _unusable(error: NotGguf) -> UpstreamError:
    return UpstreamError(f"What Hugging Face sent is no usable GGUF file: {error}.")


def facts_of(header: GgufHeader) -> dict[str, Any]:
    """Return what listings show of a header, as JSON values."""
    return {
        "architecture": header.architecture,
        "name": header.name,
        "license": header.license,
        "quantization": header.quantization,
        "context_length": header.context_length,
        "pooling": header.pooling,
        "chat": header.chat_template is not None,
        "tools": "tools" in (header.chat_template or ""),
    }
