"""Whether a host is this machine: the one answer for binds, Host headers and proxies."""

from __future__ import annotations

import functools
import ipaddress
import socket


@functools.lru_cache(maxsize=128)
def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address, in any letter case, means this machine alone."""
    host = host.lower().strip("[]").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listens_on_loopback(host: str) -> bool:
    """Return whether a server that listens on ``host`` is reached from this machine alone, by its
    name or by what the name means here (``ip6-localhost``, ``127.1``).

    For the host of a setting, never for one that a stranger sends: what a name of theirs means is
    theirs to say.
    """
    if is_loopback_host(host):
        return True
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        return False
    return bool(found) and all(is_loopback_host(str(where[4][0])) for where in found)
