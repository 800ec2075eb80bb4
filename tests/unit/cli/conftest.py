"""The command line over the scripted provider, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from venom_core._version import __version__
from venom_core.cli.connection import local
from venom_core.cli.main import run_command
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted

SCRIPTED = Found(
    id="scripted",
    value="venom_core.testing.scripted",
    api="v1",
    distribution="venom-scripted-test",
    version="1.0",
    origin="third_party",
)


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def _stage() -> Iterator[None]:
    scripted.reset()
    yield
    scripted.reset()


@pytest.fixture
def paths() -> Paths:
    return Paths.resolve()


@pytest.fixture
def installed() -> list[Found]:
    """What is installed; a test may empty it."""
    return [SCRIPTED]


@pytest.fixture(autouse=True)
def _scripted_venom(monkeypatch: pytest.MonkeyPatch, installed: list[Found]) -> None:
    def make() -> Venom:
        paths = Paths.resolve()
        settings = Settings.load(paths, os.environ)
        host = PluginHost(settings, paths, lambda: Scan(__version__, tuple(installed)))
        return Venom(settings, host)

    monkeypatch.setattr(local, "make_venom", make)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line; gives its exit code and what it printed."""

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        code = run_command(list(arguments))
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run
