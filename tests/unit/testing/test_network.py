"""The guard against connections, and the home that a test has for itself."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from venom_core.testing import no_network
from venom_core.testing.network import NetworkRefused
from venom_core.testing.surroundings import own_home


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
async def test_a_connection_elsewhere_is_refused_and_remembered(host: str) -> None:
    with no_network() as guard:
        with pytest.raises(OSError, match="no connection"):
            await asyncio.open_connection(host, 443)
        with pytest.raises(NetworkRefused):
            await asyncio.to_thread(socket.getaddrinfo, "example.org", 443)
    assert guard.tried[-1] == "example.org"
    assert host in guard.tried


async def test_this_machine_is_allowed_unless_it_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with no_network() as guard:
            socket.create_connection(address).close()
        assert guard.tried == []
        with no_network(loopback=False) as guard, pytest.raises(NetworkRefused):
            socket.create_connection(address)
        assert guard.tried == ["127.0.0.1"]
        socket.create_connection(address).close()  # behind the block nothing is refused


def test_a_home_of_its_own_and_everything_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "elsewhere")
    monkeypatch.setenv("LC_ALL", "pl_PL.UTF-8")
    before = dict(os.environ)
    with own_home(tmp_path):
        assert "OLLAMA_HOST" not in os.environ
        assert os.environ["VENOM_HOME"].startswith(str(tmp_path))
        assert os.environ["LC_ALL"] == "C.UTF-8"
        os.environ["VENOM_MADE"] = "inside"
    assert dict(os.environ) == before
