"""``server.json``: how the commands of the same user find a running server.

It holds the server's token, so it is readable by its owner only, and nothing is sent to an address
from it before the process that wrote it was seen alive: a port may have a new owner since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from venom_core.cli.connection.files import read_record, remove_own, write_record
from venom_core.sdk.masking import keep_secret
from venom_core.sdk.process_identity import ProcessIdentity
from venom_core.settings.paths import Paths


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A server. ``started`` is the start of its process, in seconds since the epoch; ``url`` has
    no slash at its end."""

    pid: int
    started: float
    url: str
    token: str
    version: str

    def __repr__(self) -> str:
        return f"ServerRecord(pid={self.pid}, url={self.url!r}, version={self.version!r})"


def server_file(paths: Paths) -> Path:
    return paths.run_dir / "server.json"


def publish(paths: Paths, record: ServerRecord) -> None:
    """Write the record of this process's server. Raises ``StorageError``."""
    write_record(paths, server_file(paths), asdict(record))


def withdraw(paths: Paths, pid: int) -> None:
    """Remove the record of server ``pid``."""
    remove_own(server_file(paths), pid)


def find_server(paths: Paths) -> ServerRecord | None:
    """Return the server whose process lives; None for no record, a broken one, and a stale one."""
    found = read_record(server_file(paths)) or {}
    try:
        identity = ProcessIdentity.parse(found)
        url, token, version = (_text(found, name) for name in ("url", "token", "version"))
        _check_address(url)
    except (KeyError, TypeError, ValueError):
        return None
    keep_secret(token)
    record = ServerRecord(identity.pid, identity.started, url, token, version)
    return record if identity.lives() else None


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record[name]
    if not isinstance(value, str):
        raise TypeError(f"{name} is no text")
    return value


def _check_address(url: str) -> None:
    """Raise ``ValueError`` for what is no address of a server: a port of six digits, say."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
        raise ValueError("no address")


def answers(record: ServerRecord, timeout: float = 3.0) -> str | None:
    """Return the version that the server at the record's address tells on ``/healthz``; None where
    it does not answer in time or is something else. Blocks; sends no token."""
    import http.client

    parts = urlsplit(record.url)
    # Its port was checked where the record was read.
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", "/healthz")
        body = json.loads(connection.getresponse().read(4096))
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    known = isinstance(body, dict) and body.get("component") == "venom-core"
    return str(body["version"]) if known and "version" in body else None
