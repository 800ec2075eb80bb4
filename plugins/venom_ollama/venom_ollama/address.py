"""Settings in the form that Ollama wants: its address and its durations."""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from venom_core.sdk.errors import Unavailable

DEFAULT_PORT = 11434
_SCHEME_PORTS = {"http": 80, "https": 443}
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}
# Go's durations: 300ms, 1.5h, 2h45m; a sign in front.
_UNIT = "(ns|us|µs|ms|s|m|h)"
#: More digits are beyond what Go holds, and no time that anybody means.
_DURATION = re.compile(
    rf"[+-]?(\d{{1,9}}(\.\d{{0,9}})?|\.\d{{1,9}}){_UNIT}(\d{{1,9}}{_UNIT}){{0,6}}", re.ASCII
)
_SECONDS = re.compile(r"[+-]?\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of Ollama: ``url`` for the client, ``shown`` (host and port) for messages,
    ``headers`` for a user name and password that stood in the setting."""

    url: str
    shown: str
    headers: Mapping[str, str]
    port: int

    @property
    def is_startable(self) -> bool:
        """Return whether an Ollama of this machine alone can be started there, with nothing in
        front of it."""
        plain = (f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}")
        return self.url in plain and not self.headers

    @property
    def is_usual(self) -> bool:
        """Return whether it is the address of an Ollama that nobody has set up otherwise."""
        return self.shown == f"127.0.0.1:{DEFAULT_PORT}"


def parse_address(value: str | None) -> Address:
    """Return the address for a setting written as ``OLLAMA_HOST`` may be: ``host``, ``host:port``,
    ``:port`` or a URL. Without a scheme it is http at 11434; with one, that scheme's port.
    ``0.0.0.0`` (where a server listens) becomes loopback (where a client connects).

    Raises Unavailable(invalid_setting).
    Source: Ollama's ``envconfig.Host``.
    """
    text = (value or "").strip().strip("\"'").strip()
    scheme, separator, rest = text.rpartition("://")
    scheme = scheme.lower() or "http"
    if scheme not in _SCHEME_PORTS:
        raise _invalid_address(f"the scheme {scheme}:// is not http or https")
    try:
        parts = urlsplit(f"//{_bracketed(rest)}")
        port = parts.port
    except ValueError:
        raise _invalid_address("the port is not a number up to 65535") from None
    if port is None:
        port = _SCHEME_PORTS[scheme] if separator else DEFAULT_PORT
    host = parts.hostname or ""
    host = _ANY_ADDRESS.get(host, host)
    if ":" in host:
        host = f"[{host}]"
    shown = f"{host}:{port}"
    headers = {}
    login, at, _ = parts.netloc.rpartition("@")
    if at:
        encoded = base64.b64encode(unquote(login).encode()).decode()
        headers["Authorization"] = f"Basic {encoded}"
    return Address(f"{scheme}://{shown}{parts.path.rstrip('/')}", shown, headers, port)


def _bracketed(address: str) -> str:
    """Add the brackets that URLs want to a bare IPv6 address."""
    try:
        return f"[{ipaddress.IPv6Address(address)}]"
    except ValueError:
        return address


def keep_alive(value: str | None) -> str | int | None:
    """Return the ``keep_alive`` field for a setting: a duration with a unit as text, bare seconds
    as a number (Ollama answers 400 to ``"30"`` but reads ``30``), None where not set.

    Raises Unavailable(invalid_setting).
    """
    text = (value or "").strip()
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return int(text)
    if _DURATION.fullmatch(text):
        return text
    raise Unavailable(
        f"The setting keep_alive is no duration: {text[:40]!r}.",
        code="invalid_setting",
        fix="Set OLLAMA_KEEP_ALIVE to something like 10m, 24h, -1 (always) or 0 (not at all).",
    )


def _invalid_address(why: str) -> Unavailable:
    return Unavailable(
        f"The address of Ollama cannot be used: {why}.",
        code="invalid_setting",
        fix="Set OLLAMA_HOST to something like 127.0.0.1:11434.",
    )
