from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.plugins.distributions import scan_of
from venom_core.plugins.host import PluginHost
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A site-packages folder of its own, on ``sys.path``; its modules are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        origin = getattr(sys.modules[name], "__file__", None) or ""
        if origin.startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def make_host(site: Path, tmp_path: Path) -> Callable[..., PluginHost]:
    """Make a host that sees what is in ``site``; ``toml``, ``env`` and flags are its settings."""

    def make(
        env: dict[str, str] | None = None, toml: str | None = None, **flags: object
    ) -> PluginHost:
        paths = Paths.at(tmp_path / "home")
        if toml is not None:
            paths.home.mkdir(exist_ok=True)
            paths.config_file.write_text(toml)
        settings = Settings.load(paths, env, flags)
        return PluginHost(settings, paths, lambda: scan_of(site))

    return make
