"""The one answer to whether a host is this machine."""

from __future__ import annotations

import pytest

from venom_core.sdk.http import is_loopback
from venom_core.sdk.loopback import is_loopback_host, listens_on_loopback


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("localhost", True), ("LOCALHOST", True), ("a.localhost", True), ("127.0.0.1", True),
        ("127.5.5.5", True), ("::1", True), ("[::1]", True), ("", False), ("0.0.0.0", False),
        ("::", False), ("10.0.0.1", False), ("localhost.evil.com", False), ("127.evil.com", False),
        ("127.0.0.1.evil.com", False), ("notlocalhost", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_loopback(host: str, own: bool) -> None:
    assert is_loopback_host(host) is own
    shown = f"[{host}]" if host.count(":") > 1 and "[" not in host else host
    assert is_loopback(f"http://{shown}:8366/v1") is own


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("LOCALHOST", True), ("localhost.", True), ("127.1", True), ("[::1]", True),
        ("0.0.0.0", False), ("::", False), ("", False), ("no-such-host.invalid", False),
    ],
)  # fmt: skip
def test_a_server_is_reached_as_what_its_host_means(host: str, own: bool) -> None:
    assert listens_on_loopback(host) is own
