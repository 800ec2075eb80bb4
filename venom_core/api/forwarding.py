"""Requests as a reverse proxy passes them on: who sent them, to which name, below which path.

What a proxy says in ``X-Forwarded-*`` is believed where the connection comes from one that is
trusted, and from nobody else: anybody can write a header.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForwardedHeaders:
    """A change of each request before anything else looks at it.

    Args:
        root_path: the path that the proxy serves us under, such as ``/venom``; "" for none. It is
            taken off where it is there: some proxies do so themselves.
        trusted: addresses and networks of proxies. Both are as the settings let them be.
    """

    def __init__(self, root_path: str = "", trusted: Sequence[str] = ()) -> None:
        self.root_path = root_path.rstrip("/")
        self._trusted: tuple[Network, ...] = tuple(map(ipaddress.ip_network, trusted))
        #: Whether there is nothing to do: no proxy is known.
        self.is_direct = not self.root_path and not self._trusted

    def __call__(self, scope: Scope) -> Scope:
        """Restore the request as it was sent to the proxy, its path without ``root_path``."""
        if scope["type"] != "http":
            return scope
        scope = dict(scope)
        path: str = scope["path"]
        if self.root_path and (path + "/").startswith(self.root_path + "/"):
            scope["path"] = path[len(self.root_path) :] or "/"
            raw: bytes | None = scope.get("raw_path")
            if raw is not None:
                scope["raw_path"] = raw[len(self.root_path) :] or b"/"
        client = scope.get("client")
        if client is not None and self._is_trusted(_address(client[0])):
            self._believe(scope, client[0])
        return scope

    def _believe(self, scope: Scope, peer: str) -> None:
        headers = Headers(scope=scope)
        hops = [hop.strip() for hop in ",".join(headers.getlist("x-forwarded-for")).split(",")]
        client = peer
        while hops and self._is_trusted(_address(client)):
            hop = hops.pop()
            if _address(hop) is None:
                break
            client = hop
        scope["client"] = (client, 0)
        proto = headers.getlist("x-forwarded-proto")
        if len(proto) == 1 and proto[0].strip().lower() in ("http", "https"):
            scope["scheme"] = proto[0].strip().lower()
        # Several of them are passed on as several, which the Host check refuses.
        hosts = headers.getlist("x-forwarded-host")
        if hosts:
            kept = [pair for pair in scope["headers"] if pair[0] != b"host"]
            scope["headers"] = [*kept, *((b"host", host.encode("latin-1")) for host in hosts)]

    def _is_trusted(self, address: Address | None) -> bool:
        return address is not None and any(
            address.version == network.version and address in network for network in self._trusted
        )


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
