"""NDJSON: from bytes, cut anywhere, to the objects of Ollama's stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from venom_core.sdk.bounded_json import check_values
from venom_core.sdk.errors import UpstreamError, UpstreamIncomplete

#: Longer than any line of Ollama; a stream without a newline must not fill the memory.
MAX_LINE_BYTES = 32 * 2**20


class LineReader:
    """Feed it bytes, take objects.

    Raises UpstreamError for a line that is no JSON object or has no end.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Return the objects that are complete with ``data``."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise not_ollama()
        for line in lines:
            if line.strip():
                yield parse_object(line)

    def end(self) -> Iterator[dict[str, Any]]:
        """Return the object that was left without a newline. Raises UpstreamIncomplete for half of
        one."""
        rest, self._rest = self._rest.strip(), b""
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
