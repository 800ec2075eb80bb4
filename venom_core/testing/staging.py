"""A whole Venom over given plugins and nothing else, in this process: API, command line, core.

    async with stage(entry("venom_acme.plugin"), home=tmp_path) as acme:
        answer = await acme.client.get("/api/v1/plugins")
        listed = await acme.cli("list", "--json")

What is installed in the environment is not seen: plugins are entry points in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx

from venom_core._version import __version__
from venom_core.api.app import create_app
from venom_core.cli.connection import local
from venom_core.cli.main import run_command
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found, Origin, Scan
from venom_core.plugins.host import PluginHost
from venom_core.plugins.names import FIRST_PARTY
from venom_core.sdk.entry_points import API_MAJOR
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import patience

#: Where the client of a stage seems to be served; nothing listens there.
BASE_URL = "http://127.0.0.1:8366"


def entry(manifest: str, name: str | None = None, *, version: str | None = None) -> Found:
    """Return an entry point in memory, as if its distribution were installed.

    Args:
        manifest: ``venom_acme.plugin``.
        name: the plugin's; what stands behind ``venom_`` in the manifest's package unless given.
        version: of the distribution; the core's where it is one of ours.
    """
    name = name or manifest.split(".", maxsplit=1)[0].removeprefix("venom_").replace("_", "-")
    distribution = f"venom-{name}"
    ours = distribution in FIRST_PARTY
    version = version or (__version__ if ours else "1.0")
    origin: Origin = "first_party" if ours else "third_party"
    return Found(name, manifest, API_MAJOR, distribution, version, origin)


SCRIPTED = entry("venom_core.testing.scripted", "scripted")


def venom_over(settings: Settings, installed: Sequence[Found] = (SCRIPTED,)) -> Venom:
    """Return a Venom that finds these plugins, not started; ``installed`` is read again at each
    scan. No provider of it is late because the machine is busy."""
    timeout = patience(settings.core.plugin_load_timeout)
    settings.core = settings.core.model_copy(update={"plugin_load_timeout": timeout})
    host = PluginHost(settings, settings.paths, lambda: Scan(__version__, tuple(installed)))
    return Venom(settings, host)


@contextlib.asynccontextmanager
async def client_of(venom: Venom, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of the application, started and closed around it. There is no socket: an
    answer comes when it is whole, a stream too."""
    app = create_app(venom)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport,
            base_url=BASE_URL,
            **options,  # type: ignore[arg-type]
        ) as client:
            yield client


@dataclass(frozen=True, slots=True)
class Printed:
    """The end of a command line: its exit code and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A started Venom and ways to it. ``client`` speaks to its API."""

    venom: Venom
    client: httpx.AsyncClient
    _installed: Sequence[Found]

    async def cli(self, *arguments: str) -> Printed:
        """Run a command line over the same plugins, settings and home: ``cli("list")``."""
        return await asyncio.to_thread(self._run, arguments)

    def _run(self, arguments: Sequence[str]) -> Printed:
        settings = self.venom.settings

        def make() -> Venom:
            return venom_over(settings, self._installed)

        with mock.patch.object(local, "make_venom", make), _printing() as (out, err):
            code = run_command(arguments)
        return Printed(code, _text(out), _text(err))


@contextlib.asynccontextmanager
async def stage(
    *plugins: Found, home: Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[Stage]:
    """Start a Venom that finds these plugins, and close it behind the block.

    Args:
        home: its data directory; one that is not there is made.
        env: the variables that it is set up with; nothing of this process's.
    """
    settings = Settings.load(Paths.at(home), dict(env or {}))
    venom = venom_over(settings, plugins)
    async with client_of(venom) as client:
        yield Stage(venom, client, plugins)


@contextlib.contextmanager
def _printing() -> Iterator[tuple[io.TextIOWrapper, io.TextIOWrapper]]:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
        yield out, err


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()
