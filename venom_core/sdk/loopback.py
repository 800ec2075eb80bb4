"""Whether a host is this machine: the one answer for binds, Host headers and proxies."""

from __future__ import annotations

import functools
import ipaddress


@functools.lru_cache(maxsize=128)
def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address, in any letter case, means this machine alone."""
    host = host.lower().strip("[]")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
