"""A library is looked for without importing any of it, whatever kind of package it is in."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from venom_core.plugins.engine_packages import is_there


@pytest.mark.parametrize(
    ("module", "there"),
    [
        ("acme_tools", True),
        ("acme_tools.deep", True),
        ("acme_tools.deep.nested", True),
        ("acme_tools.deep.nested.http", True),
        ("acme_tools.deep.nested.http.client", True),
        ("acme_tools.deep.nested.grpc", False),
        ("acme_tools.other.here", True),
        ("acme_tools.nowhere.http", False),
        ("acme_tools.deep.nested.http.client.more", False),
        ("acme_nothing", False),
        ("acme_nothing.deep", False),
        ("json.decoder", True),
        ("json.decoder.more", False),
        ("json.nothing", False),
        ("", False),
    ],
)
def test_a_module_is_found(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, there: bool
) -> None:
    """OpenTelemetry's is one of several distributions in packages without ``__init__``."""
    second = tmp_path / "second"
    monkeypatch.syspath_prepend(str(second))
    http = site / "acme_tools" / "deep" / "nested" / "http"
    http.mkdir(parents=True)
    other = second / "acme_tools" / "other"
    other.mkdir(parents=True)
    for path in (http / "__init__.py", http / "client.py", other / "here.py"):
        path.write_text("raise AssertionError('it was imported')")
    assert is_there(module) is there
    assert not any(name.startswith("acme_") for name in sys.modules)
