"""Listening sockets that a service manager holds for us: systemd's protocol,
``sd_listen_fds(3)``. They stay open while the server is started anew, so no client is refused."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping, Sequence

from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.loopback import is_loopback_host

FIRST_DESCRIPTOR = 3
MOST = 16


def inherited_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """Return the sockets that were handed over to this process; none where none were.

    The variables are taken out, and the sockets are closed in every program that we start.

    Raises:
        InvalidRequest: ``inherited_socket_not_usable``.
    """
    pid, count = environment.pop("LISTEN_PID", ""), environment.pop("LISTEN_FDS", "")
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    environment.pop("LISTEN_PIDFDID", None)
    if os.name != "posix" or not count or pid != str(os.getpid()):
        return []
    if not (count.isascii() and count.isdigit()) or len(count) > 4 or int(count) > MOST:
        raise _unusable("LISTEN_FDS", f"is no number from 0 to {MOST}")
    descriptors = range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count))
    for descriptor in descriptors:
        if _is_open(descriptor):
            os.set_inheritable(descriptor, False)
    named = [*names, *[""] * len(descriptors)]
    return [_taken(one, name or str(one)) for one, name in zip(descriptors, named, strict=False)]


def most_open(sockets: Sequence[socket.socket]) -> tuple[str, int]:
    """Return the address and port that decide who may come in: of one that other machines reach,
    where there is one."""
    addresses = [one.getsockname() for one in sockets]
    host, port = next((a for a in addresses if not is_loopback_host(a[0])), addresses[0])[:2]
    return str(host), int(port)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _taken(descriptor: int, name: str) -> socket.socket:
    try:
        found = socket.socket(fileno=descriptor)
    except OSError:
        raise _unusable(name, "is no socket") from None
    listens = bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    if found.family not in (socket.AF_INET, socket.AF_INET6) or found.type != socket.SOCK_STREAM:
        found.detach()
        raise _unusable(name, "is no TCP socket")
    if not listens:
        found.detach()
        raise _unusable(name, "does not listen")
    found.setblocking(False)
    return found


def _unusable(name: str, why: str) -> InvalidRequest:
    return InvalidRequest(
        f"What the service manager handed over cannot be used: {name} {why}.",
        code="inherited_socket_not_usable",
        fix="In its socket unit, write ListenStream= with an address or a port, and no Accept=yes.",
    )
