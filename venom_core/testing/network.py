"""A guard around a block: connections that it may not make are refused and remembered.

Python tells of every connection and look-up in its audit events, whoever makes it and in which
thread; what a library does in code of its own, without Python's sockets, is not seen.
"""

from __future__ import annotations

import contextlib
import ipaddress
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


class NetworkRefused(OSError):
    """A connection that the guard does not allow; the text names where to."""


@dataclass(slots=True)
class NetworkGuard:
    """The rule of one block. ``tried`` are the places that were refused, in order."""

    loopback: bool = True
    tried: list[str] = field(default_factory=list)

    def check(self, host: object) -> None:
        if not self.loopback or not _is_loopback(host):
            place = str(host)
            self.tried.append(place)
            raise NetworkRefused(f"no connection to {place} is allowed here")


_guards: list[NetworkGuard] = []
_hooked: list[bool] = []


@contextlib.contextmanager
def no_network(*, loopback: bool = True) -> Iterator[NetworkGuard]:
    """Refuse every connection in this process for the time of the block.

    Args:
        loopback: connections to this machine itself are allowed.
    """
    if not _hooked:  # an audit hook stays for the life of a process
        sys.addaudithook(_watch)
        _hooked.append(True)
    guard = NetworkGuard(loopback)
    _guards.append(guard)
    try:
        yield guard
    finally:
        _guards.remove(guard)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if not _guards or event not in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        return
    host = arguments[0]
    if event != "socket.getaddrinfo":
        address = arguments[1]
        if not isinstance(address, tuple):
            return  # a socket of this machine's own, with a path for an address
        host = address[0]
    for guard in _guards:
        guard.check(host)


def _is_loopback(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if text is None or text in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(str(text).partition("%")[0]).is_loopback
    except ValueError:
        return False
