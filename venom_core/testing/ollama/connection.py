"""One HTTP/1.1 connection of the fake: reading requests, writing answers, feeling the client go.

Written on bare sockets because the fake must send what no HTTP server library lets one send: half
a line, a body without its end, a reset.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus

from venom_core.testing.ollama.matching import Asked

#: Added to every answer, so that nobody takes the fake for an Ollama.
FAKE_HEADER = ("X-Fake", "venom_core.testing.ollama")

_WATCH_SECONDS = 0.01


class ClientGone(Exception):
    """The client closed its side while we were answering."""


class Connection:
    """A client's connection, the ``number``-th since the start."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.number = number
        self._reader = reader
        self._writer = writer

    async def read_request(self) -> Asked | None:
        """Read the next request; None when the client has no more."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *rest = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers: dict[str, str] = {}
        for line in rest:
            if ":" in line:
                name, value = line.split(":", 1)
                headers[name.strip().lower()] = value.strip()
        try:
            body = await self._read_body(headers)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return Asked.of(method, path, headers, body)

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int((await self._reader.readline()).split(b";")[0], 16):
                body += await self._reader.readexactly(size)
                await self._reader.readline()
            await self._reader.readline()
            return body
        return await self._reader.readexactly(int(headers.get("content-length", "0") or 0))

    def client_gone(self) -> bool:
        """Return whether the client closed its side."""
        reader = self._reader
        return (
            reader.at_eof() or reader.exception() is not None or self._writer.transport.is_closing()
        )

    async def pause(self, seconds: float) -> None:
        """Wait, and raise ClientGone as soon as the client leaves."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            if self.client_gone():
                raise ClientGone
            await asyncio.sleep(min(left, _WATCH_SECONDS))

    async def until_gone(self) -> None:
        """Wait for the client to leave, then raise ClientGone."""
        await self.pause(3600)

    async def send_head(
        self, status: int, reason: str, headers: Iterable[tuple[str, str]], close: bool
    ) -> None:
        """Write the status line and ``headers``; ``Date`` is now, ``Connection`` is ours."""
        lines = [f"HTTP/1.1 {status} {reason or HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers if name != "Connection"]
        lines += [f"Date: {formatdate(usegmt=True)}", ": ".join(FAKE_HEADER)]
        if close:
            lines.append("Connection: close")
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    async def send_piece(self, piece: bytes, chunked: bool) -> None:
        """Write a part of a body, as a chunk of its own where ``chunked``."""
        await self.send(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    async def send(self, data: bytes) -> None:
        """Write bytes as they are. Raises ClientGone."""
        if self.client_gone():
            raise ClientGone
        try:
            self._writer.write(data)
            await self._writer.drain()
        except ConnectionError as error:
            raise ClientGone from error

    def reset(self) -> None:
        """Close with a TCP reset."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close politely."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except ConnectionError:
            # The client was faster; closed is closed.
            return
