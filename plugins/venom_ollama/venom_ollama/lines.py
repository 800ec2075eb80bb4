"""NDJSON: from bytes, cut anywhere, to the objects of Ollama's stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from venom_core.sdk.bounded_json import check_values
from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete

#: Longer than any line of Ollama; a stream without a newline must not fill the memory.
MAX_LINE_BYTES = 32 * 2**20
#: Half a kilobyte for each of as many lines as an answer may have.
MAX_STREAM_BYTES = 512 * 2**20


class LineReader:
    """Feed it bytes, take objects.

    Raises UpstreamError for a line that is no JSON object or has no end.
    """

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._held = self._bytes = 0

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Return the objects that are complete with ``data``."""
        self._bytes += len(data)
        if self._bytes > MAX_STREAM_BYTES:
            raise not_ollama()
        first, *lines = data.split(b"\n")
        self._hold(first)
        if not lines:
            return
        *whole, rest = (b"".join(self._rest), *lines)
        self._rest, self._held = [], 0
        self._hold(rest)
        for line in whole:
            if line.strip():
                yield parse_object(line)

    def _hold(self, part: bytes) -> None:
        """Keep a part of a line that goes on."""
        if part:
            self._rest.append(part)
            self._held += len(part)
            if self._held > MAX_LINE_BYTES:
                raise not_ollama()

    def end(self) -> Iterator[dict[str, Any]]:
        """Return the object that was left without a newline. Raises UpstreamIncomplete for half of
        one."""
        rest, self._rest = b"".join(self._rest).strip(), []
        if not rest:
            return
        try:
            yield parse_object(rest)
        except UpstreamError as error:
            if rest.startswith(b"{"):
                raise incomplete() from error
            raise


def parse_object(text: bytes) -> dict[str, Any]:
    """Return one JSON object. Raises UpstreamError for anything else."""
    try:
        check_values(text)
        value = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise not_ollama() from error
    if not isinstance(value, dict):
        raise not_ollama()
    return value


def not_ollama() -> UpstreamError:
    """Return the refusal for an answer that no Ollama gives."""
    return UpstreamError(
        "What answers at Ollama's address sends no Ollama answers.",
        code="not_ollama",
        fix="Check OLLAMA_HOST: another program may hold that port, or a proxy stands between.",
    )


def incomplete() -> UpstreamIncomplete:
    """Return the refusal for a stream that ended without its last line."""
    return UpstreamIncomplete(
        "Ollama closed its answer before the end.",
        fix="Try again; Ollama may have been stopped or restarted.",
    )
