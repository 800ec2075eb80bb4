"""Venom over the scripted provider and nothing else, for the tests of every surface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from venom_core._version import __version__
from venom_core.composition import Venom
from venom_core.models import registry
from venom_core.plugins import guarded
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience

SCRIPTED = Found(
    id="scripted",
    value="venom_core.testing.scripted",
    api="v1",
    distribution="venom-scripted-test",
    version="1.0",
    origin="third_party",
)


def scripted_venom(settings: Settings, installed: Sequence[Found] = (SCRIPTED,)) -> Venom:
    """One that finds these plugins; ``installed`` is read again at each scan."""
    host = PluginHost(settings, settings.paths, lambda: Scan(__version__, tuple(installed)))
    return Venom(settings, host)


@pytest.fixture(autouse=True)
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No script of another test, and no provider that a busy machine makes late; a conftest that
    imports it has it for every test below."""
    monkeypatch.setattr(registry, "OPEN_PATIENCE", patience(registry.OPEN_PATIENCE))
    for verb in ("health", "models", "ps"):
        monkeypatch.setitem(guarded.SECONDS, verb, patience(guarded.SECONDS[verb]))
    scripted.reset()
    yield
    scripted.reset()
