"""Requests as a reverse proxy passes them on: who sent them, to which name, below which path.

What a proxy says in ``X-Forwarded-*`` is believed where the connection comes from one that is
trusted, and from nobody else: anybody can write a header.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.types import Scope

from venom_core.sdk.errors import InvalidRequest

_ROOT_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForwardedHeaders:
    """A change of each request before anything else looks at it.

    Args:
        root_path: the path that the proxy serves us under, such as ``/venom``; "" for none. It is
            taken off where it is there: some proxies do so themselves.
        trusted: addresses and networks of proxies.

    Raises:
        InvalidRequest: ``invalid_setting``.
    """

    def __init__(self, root_path: str = "", trusted: Sequence[str] = ()) -> None:
        self.root_path = root_path.rstrip("/")
        if self.root_path and not _ROOT_PATH.fullmatch(self.root_path):
            raise InvalidRequest(
                "VENOM_ROOT_PATH is a path such as /venom.",
                code="invalid_setting",
                param="VENOM_ROOT_PATH",
                fix="Begin it with / and use letters, digits and . _ ~ - only.",
            )
        self._trusted = tuple(map(_network, trusted))
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


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text.strip())
    except ValueError as error:
        raise InvalidRequest(
            f"VENOM_TRUSTED_PROXIES: {text!r} is no address and no network.",
            code="invalid_setting",
            param="VENOM_TRUSTED_PROXIES",
            fix="List addresses such as 127.0.0.1 and networks such as 10.0.0.0/8.",
        ) from error


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
