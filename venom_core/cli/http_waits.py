"""Bounds on what a client may keep waiting: its request, and the answer that it does not read.

A client that sends half a head, a body by drops, or reads nothing of its stream costs it nothing
and us a connection, and a stream holds a place of its provider. So each wait for a client is
bounded; one that goes on at a modest pace may take as long as it takes.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from venom_core.cli.http_protocol import NoUpgrades

#: For a connection's first request to begin, and for the head of any to be whole.
HEAD_SECONDS = 30.0
MAX_HEAD_BYTES = 64 * 1024
#: For a body, and beyond that as long as it comes at this pace.
BODY_SECONDS = 60.0
BODY_BYTES_A_SECOND = 16 * 1024
#: In which a client that has not read what was sent must read so much of it.
UNREAD_SECONDS = 60.0
UNREAD_BYTES = 32 * 1024


class BoundedWaits(NoUpgrades):
    """Ends connections whose other side does not go on."""

    _arrival: asyncio.TimerHandle | None = None
    _in_head = True
    _began = 0.0
    _received = 0
    _reading: asyncio.TimerHandle | None = None
    _unread = 0

    # -- what the client sends ---------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect(HEAD_SECONDS, in_head=True)

    def data_received(self, data: bytes) -> None:
        if self._arrival is None and self._is_idle():
            self._expect(HEAD_SECONDS, in_head=True)
        self._received += len(data)
        super().data_received(data)
        if self._arrival is not None and self._in_head and self._received > MAX_HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._arrival is None:
            self._expect(HEAD_SECONDS, in_head=True)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._expect(BODY_SECONDS, in_head=False)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._arrived()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self._read()
        super().connection_lost(exc)

    def _expect(self, seconds: float, *, in_head: bool) -> None:
        self._arrived()
        self._in_head, self._began, self._received = in_head, self.loop.time(), 0
        self._arrival = self.loop.call_later(seconds, self._late)

    def _arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _late(self) -> None:
        self._arrival = None
        if self.transport.is_closing():
            return
        if self._is_answering() or self.flow.read_paused:  # it is we who do not go on
            self._arrival = self.loop.call_later(HEAD_SECONDS, self._late)
            return
        if not self._in_head:
            allowed = BODY_SECONDS + self._received / BODY_BYTES_A_SECOND
            left = self._began + allowed - self.loop.time()
            if left > 0:
                self._arrival = self.loop.call_later(left, self._late)
                return
        if self._in_head and not self._received:
            self._close()  # it was opened in advance, and nobody asked anything
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)

    def _is_idle(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    def _is_answering(self) -> bool:
        """Return whether a request that came whole is being answered; this one comes after it."""
        return not self._is_idle() and not self.cycle.more_body

    def _refuse(self, status: HTTPStatus) -> None:
        self._arrived()
        self.logger.warning("%d %s", status, status.phrase)
        if self._is_idle() or not self.cycle.response_started:
            head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
            body = status.phrase.encode()
            length = b"content-length: %d\r\n\r\n" % len(body)
            self.transport.write(STATUS_LINE[status] + head + length + body)
        self._close()

    # -- what the client reads ---------------------------------------------------------------

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._read()
        if self.transport.is_closing():
            self._close()

    def timeout_keep_alive_handler(self) -> None:
        if not self.transport.is_closing():
            self._close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._close()

    def _watch(self) -> None:
        self._unread = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(UNREAD_SECONDS, self._still_unread)

    def _read(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _still_unread(self) -> None:
        self._reading = None
        if self._unread - self.transport.get_write_buffer_size() >= UNREAD_BYTES:
            self._watch()
            return
        self.logger.warning("A client did not read its answer: its connection is closed.")
        self.transport.abort()

    def _close(self) -> None:
        """Close once what is written is read, at the latest after the bound of a reader."""
        self.transport.close()
        if self.transport.get_write_buffer_size() and self._reading is None:
            self._watch()
