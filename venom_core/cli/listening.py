"""The socket that the server listens on, and who may be let in through it."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from venom_core.sdk.errors import Conflict, Forbidden, InvalidRequest
from venom_core.sdk.loopback import listens_on_loopback
from venom_core.settings.key_file import read_key_file

if TYPE_CHECKING:
    from venom_core.composition import Venom

BACKLOG = 2048
#: So many ports behind the wanted one are looked at for a free one.
PORTS_TRIED = 50


class PortInUse(Conflict):
    """``holder`` is ``name (pid)``, None where the system does not tell."""

    default_code = "port_in_use"

    def __init__(self, port: int, holder: str | None) -> None:
        self.holder = holder
        super().__init__(
            f"Port {port} is in use by {holder or 'another program'}.",
            fix=f"Choose another: venom serve --port {free_port_after(port)} (0 takes a free one)",
        )


def free_port_after(port: int) -> int:
    """Return the next port of this machine that nobody holds now; 0 where none is near."""
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65536)):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", candidate))
            return candidate
    return 0


def listen(host: str, port: int) -> socket.socket:
    """Open a listening socket: from here on nobody else gets the port, and clients wait instead of
    being refused while the rest starts.

    Raises:
        PortInUse: names who holds it, where the system tells.
        InvalidRequest: ``host_not_usable``.
        Forbidden: ``port_not_allowed``.
    """
    try:
        bare = host.strip("[]")
        found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise _unusable(host) from error
    family, kind, protocol, _, address = found[0]
    listener = socket.socket(family, kind, protocol)
    try:
        if os.name == "posix":  # elsewhere this option lets two programs share one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(port, who_listens(port)) from error
        if error.errno in (errno.EACCES, errno.EPERM):
            raise Forbidden(
                f"This user may not listen on port {port}.",
                code="port_not_allowed",
                fix="Choose one above 1023: venom serve --port 8366",
            ) from error
        raise _unusable(host) from error
    listener.setblocking(False)
    return listener


def _unusable(host: str) -> InvalidRequest:
    return InvalidRequest(
        f"This machine has no address {host!r} to listen on.",
        code="host_not_usable",
        param="host",
        fix="This machine alone: --host 127.0.0.1; every network it is in: --host 0.0.0.0",
    )


def local_url(listener: socket.socket) -> str:
    """Return the URL of the server for this machine; a wildcard address is reached by loopback."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def require_key_beyond_loopback(venom: Venom) -> None:
    """Refuse a way in for others, an address or a proxy, while there is no key. Opens the store
    only then."""
    core = venom.settings.core
    if core.api_key_file:
        read_key_file(Path(core.api_key_file))
        return
    through_proxy = bool(core.trusted_proxies)
    if listens_on_loopback(core.host) and not through_proxy:
        return
    if not (venom.store.exists() and venom.store.keys().any_active()):
        where = "Through a proxy the server" if through_proxy else core.host
        raise Forbidden(
            f"{where} can be reached from other machines, and there is no API key yet.",
            code="key_required",
            fix="Make one first: venom keys create NAME",
        )


def unlisted_hosts(host: str, allowed: tuple[str, ...]) -> list[str]:
    """Return names and addresses of this machine that a wildcard bind listens on and that
    ``VENOM_ALLOWED_HOSTS`` does not let in."""
    if host not in ("0.0.0.0", "::"):
        return []
    import psutil

    names = [socket.gethostname()]
    for addresses in psutil.net_if_addrs().values():
        names += [a.address for a in addresses if a.family == socket.AF_INET]
    return [n for n in dict.fromkeys(names) if not n.startswith("127.") and n not in allowed]


def who_listens(port: int) -> str | None:
    """``name (pid 123)`` of the process that listens on a TCP port; None where the system does not
    tell, which is usual for another user's process."""
    import psutil

    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port:
                pid = connection.pid
                return f"{psutil.Process(pid).name()} (pid {pid})" if pid else None
    except (psutil.Error, OSError):
        return None
    return None
