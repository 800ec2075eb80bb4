"""Fetching ``hf.co/org/repo[:QUANT]``: one GGUF file from Hugging Face, resumed where it broke off.

Source: the Hub's HTTP API (``/api/models/{repo}/tree``, ``/{repo}/resolve/{revision}/{file}``).
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from venom_core.sdk.architecture import MAX_BYTES
from venom_core.sdk.disk import discard
from venom_core.sdk.errors import ModelNotFound, UpstreamError
from venom_core.sdk.gguf import GgufHeader, HeaderCut, NotGguf, header_of, read_header
from venom_core.sdk.hub_download import ANOTHER_PROGRAM, HubConnections, HubDownload, HubFile
from venom_core.sdk.hub_files import DEFAULT_LABEL, HubRef, is_gguf_model, is_part, label_of
from venom_core.sdk.numbers import whole
from venom_core.sdk.openai_engine import read_bounded
from venom_core.sdk.provider import PullPlan, PullProgress
from venom_llamacpp.store import ModelStore, prepare

MAX_LISTING_BYTES = 16 * 1024 * 1024
MAX_PAGES = 20
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
        async with HubConnections(self._endpoint, self._token) as hub:
            file = choose(await self._listing(hub, ref), ref)
        have = await asyncio.to_thread(_size, store.part(listed_name(ref), _proof(file)))
        return PullPlan(listed_name(ref), file.size_bytes, have, folder=store.folder)

    async def pull(self, store: ModelStore, ref: HubRef) -> AsyncGenerator[PullProgress, None]:
        """Fetch a model into the store. Closing the generator keeps what came so far.

        Raises ``ModelNotFound`` naming the quantizations there are, ``Forbidden``
        (``model_gated``), ``Unavailable`` (``hub_unreachable``), ``StorageError``.
        """
        async with HubConnections(self._endpoint, self._token) as hub:
            file = choose(await self._listing(hub, ref), ref)
            part = store.part(listed_name(ref), _proof(file))
            have = await asyncio.to_thread(_size, part)
            await asyncio.to_thread(prepare, store, file.size_bytes - have, listed_name(ref))
            message = f"Fetching {file.name}"
            url = f"{self._endpoint}/{ref.repo}/resolve/main/{quote(file.name)}"
            most, total = have, file.size_bytes
            download = HubDownload(hub, url, file, part)
            # Closing a generator does not close those it reads from.
            async with contextlib.aclosing(download.steps()) as steps:
                async for done in steps:
                    most = max(most, done)
                    yield PullProgress("pulling", message, most, total)
            yield PullProgress("verifying", f"Checking {file.name}", total, total)
            await download.verify()
            header = await asyncio.to_thread(_header, part)
            name = listed_name(ref)
            await asyncio.to_thread(store.publish, name, part, _proof(file), facts_of(header))
            yield PullProgress("completed", f"{name} is ready", total, total)

    async def header(self, ref: HubRef) -> tuple[HubFile, GgufHeader]:
        """Return the header of the file that a pull would fetch, read by range requests; nothing is
        written. Raises as ``pull`` does, and ``UpstreamError`` where it is no usable GGUF file."""
        async with HubConnections(self._endpoint, self._token) as hub:
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

    async def _listing(self, hub: HubConnections, ref: HubRef) -> list[HubFile]:
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


async def _read_to(hub: HubConnections, url: str, data: bytearray, length: int) -> None:
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


def _proof(file: HubFile) -> str:
    assert file.sha256 is not None  # files without one are left out of listings
    return file.sha256


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def parse_listing(body: bytes) -> list[HubFile]:
    """Return the whole GGUF files of a page of a repository's listing."""
    try:
        rows = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_understood() from error
    if not isinstance(rows, list) or (rows and not any(isinstance(row, dict) for row in rows)):
        raise _not_understood()
    return [file for row in rows if (file := _parse_row(row)) is not None]


def _parse_row(row: Any) -> HubFile | None:
    """Return one file; None for any other row, which hides none of the others."""
    if not isinstance(row, Mapping):
        return None
    lfs = row.get("lfs")
    if not isinstance(lfs, Mapping):
        return None  # without a digest nothing could be proved
    name, digest = str(row.get("path", "")), str(lfs.get("oid", "")).removeprefix("sha256:")
    if not is_gguf_model(name) or is_part(name) or not _SHA256.fullmatch(digest):
        return None
    size = whole(lfs.get("size", row.get("size")), "hub.file.size", MAX_BYTES, 1)
    return None if size is None else HubFile(name, size, digest)


def _not_understood() -> UpstreamError:
    return UpstreamError("Hugging Face's listing is not understood.", fix=ANOTHER_PROGRAM)


def choose(files: list[HubFile], ref: HubRef) -> HubFile:
    """Return the file of the asked quantization: the shortest name that has it as a word of its
    own."""
    quant = ref.label or DEFAULT_LABEL
    word = re.compile(rf"(?<![A-Za-z0-9_]){re.escape(quant)}(?![A-Za-z0-9_])", re.IGNORECASE)
    fitting = [file for file in files if word.search(file.name)]
    if not fitting and ref.label is None and len(files) == 1:
        fitting = files
    if not fitting:
        if not files:
            raise ModelNotFound(
                f"{ref.repo} has no whole GGUF file at all.",
                param="name",
                fix="Choose a repository with GGUF files: venom search NAME --format gguf",
            )
        there = ", ".join(sorted(file.name for file in files)[:12])
        example = label_of(min(files, key=lambda file: file.size_bytes).name)
        raise ModelNotFound(
            f"{ref.repo} has no {quant}; it has {there}.",
            param="name",
            fix=f"Name the quantization: venom pull hf.co/{ref.repo}:{example}",
        )
    return min(fitting, key=lambda file: (len(file.name), file.name))


def _header(path: Path) -> GgufHeader:
    try:
        return read_header(path)
    except NotGguf as error:
        discard(path)
        raise _unusable(error) from error


def _unusable(error: NotGguf) -> UpstreamError:
    return UpstreamError(
        f"What Hugging Face sent is no usable GGUF file: {error}.",
        fix="Fetch it again, or choose another file of the repository.",
    )


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
