"""Texts of settings that name a place of the network: what each must look like, and the words for
it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from venom_core.sdk.spec import Setting

Shape = Literal["host", "host_name", "origin", "path", "network"]

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252}[A-Za-z0-9_.])?", re.ASCII)
_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#@]+/?", re.ASCII)
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)+/?|/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shaped(Setting):
    """A setting whose text, or each text of whose list, has a shape."""

    shape: Shape = "host"


def _is_host(text: str) -> bool:
    bare = text.removeprefix("[").removesuffix("]")
    return _HOST.fullmatch(text) is not None or (":" in bare and _is_network(bare, lone=True))


def _is_network(text: str, *, lone: bool = False) -> bool:
    try:
        _ = ipaddress.ip_address(text) if lone else ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


#: What fits, and the end of the sentence "must be ...".
SHAPES: Mapping[Shape, tuple[Callable[[str], bool], str]] = {
    "host": (_is_host, "an address or a host name"),
    "host_name": (_is_host, "host names or addresses, without a scheme or a port"),
    "origin": (
        lambda text: _ORIGIN.fullmatch(text) is not None,
        "origins such as https://example.org",
    ),
    "path": (
        lambda text: _PATH.fullmatch(text) is not None,
        "a path such as /venom, of letters, digits and . _ ~ -",
    ),
    "network": (_is_network, "addresses and networks such as 127.0.0.1 and 10.0.0.0/8"),
}
