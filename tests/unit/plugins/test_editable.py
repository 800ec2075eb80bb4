"""Editable installs beside a running process: their ``.pth`` files are read."""

from __future__ import annotations

import site as python_site
import sys

import pytest

from tests.unit.plugins.distributions import install, install_plugin
from venom_core.plugins import editable
from venom_core.sdk.states import PluginState


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """The interpreter's folder of packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.setattr(python_site, "getsitepackages", lambda: [str(folder)])
    monkeypatch.setattr(python_site, "ENABLE_USER_SITE", False)
    monkeypatch.setattr(editable, "_read", set())
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


async def test_an_editable_install_is_loaded_without_a_restart(site, make_host, packages, tmp_path):
    host = make_host()
    host.scan()
    sources = tmp_path / "venom-demo"
    install_plugin(sources, "demo")  # its metadata lies elsewhere
    next(sources.glob("*.dist-info")).rename(site / "venom_demo-1.0.dist-info")
    (packages / "_venom_demo.pth").write_text(f"{sources}\n")
    assert await host.look_again()
    await host.load_all()
    assert [(one.id, one.state) for one in host.records()] == [("demo", PluginState.LOADED)]
    assert sys.path[-1] == str(sources)  # behind all others: it can hide nothing
    assert await host.provider("demo")


def test_each_file_is_read_once_and_only_new_ones(packages, monkeypatch, tmp_path):
    (packages / "code.pth").write_text("import sys; sys.ran = getattr(sys, 'ran', 0) + 1\n")
    monkeypatch.setattr(sys, "ran", 0, raising=False)
    editable.read_new_paths()
    editable.read_new_paths()
    assert sys.ran == 1
    monkeypatch.setattr(editable, "_STARTED", editable.time.time() + 3600)
    monkeypatch.setattr(editable, "_read", set())
    editable.read_new_paths()
    assert sys.ran == 1  # the interpreter read that one itself


def test_a_removed_distribution_changes_the_stamp(packages):
    before = editable.installed_stamp()
    install(packages, "anything")
    assert editable.installed_stamp() != before
