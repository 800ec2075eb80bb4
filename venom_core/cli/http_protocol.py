"""The server's HTTP: 1.1, whatever else a client offers to go on with."""

from __future__ import annotations

from collections.abc import Iterator

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Headers that belong to an offer and to nothing else.
_OFFER = frozenset({b"upgrade", b"http2-settings"})


class NoUpgrades(HttpToolsProtocol):
    """Answers a request that offers to change the protocol as if it offered nothing.

    Java's own client offers ``h2c`` with every request. An offer may be passed over (RFC 9110,
    7.8), but the parser takes what follows such a head for the other protocol and loses the body.
    So the head is parsed a second time, without the offer, and what follows it after that.
    """

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        while data:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as offer:
                if not self._is_offer():  # CONNECT: it has been answered, and nothing follows
                    return
                data = self._head_without_offer() + data[offer.args[0] :]
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            except httptools.HttpParserError:
                self.send_400_response("Invalid HTTP request received.")
                return

    def on_headers_complete(self) -> None:
        if not self._is_offer():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._is_offer():
            super().on_message_complete()

    def _is_offer(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        lines = [method + b" " + self.url + b" HTTP/" + version]
        lines += [name + b": " + value for name, value in self._kept_headers()]
        return b"\r\n".join([*lines, b"", b""])

    def _kept_headers(self) -> Iterator[tuple[bytes, bytes]]:
        for name, value in self.headers:
            if name == b"connection":
                options = [option.strip() for option in value.split(b",")]
                yield name, b", ".join(o for o in options if o.lower() not in _OFFER)
            elif name not in _OFFER:
                yield name, value
