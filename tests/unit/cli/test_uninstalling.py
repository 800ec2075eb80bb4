"""`venom plugins uninstall` and `reload`, and the edit loop's flag, from the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from venom_core.installing import uninstaller
from venom_core.installing.uninstaller import Removal
from venom_core.plugins.discovery import Found
from venom_core.sdk.errors import Conflict
from venom_core.sdk.pip import InstallFailed
from venom_core.settings.paths import Paths

REMOVAL = Removal(
    "venom-scripted", "1.0", ("scripted",), Path("/packages"), 8, 12_000, (), 0
)  # fmt: skip


class Pip:
    """Takes a distribution out of what is installed, as pip would, and remembers it."""

    def __init__(self, installed: list[Found]) -> None:
        self.installed = installed
        self.removed: list[str] = []
        self.failure: InstallFailed | None = None

    def remove(self, removal: Removal, *, output: object = None) -> None:
        if self.failure is not None:
            raise self.failure
        self.removed.append(removal.distribution)
        self.installed.clear()


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, installed: list[Found]) -> Pip:
    pip = Pip(installed)
    monkeypatch.setattr(uninstaller, "plan_removal", lambda *_: REMOVAL)
    monkeypatch.setattr(uninstaller, "remove", pip.remove)
    return pip


def test_it_shows_what_goes_and_removes_nothing_unasked(cli: Cli, pip: Pip) -> None:
    result = cli("plugins", "uninstall", "scripted")
    assert result.code == 2 and "--yes" in result.err
    assert "venom-scripted 1.0 goes: 8 files, 12 kB, in /packages" in result.err
    assert "--purge" in result.err
    assert pip.removed == []


def test_the_host_forgets_it_and_the_audit_trail_knows(cli: Cli, pip: Pip) -> None:
    result = cli("plugins", "uninstall", "scripted", "--yes", "--json")
    record = json.loads(result.out)
    assert (result.code, pip.removed) == (0, ["venom-scripted"])
    assert record["plugins"] == ["scripted"] and record["purged"] is False
    assert json.loads(cli("plugins", "--json").out)["plugins"] == []
    entry = json.loads(cli("audit", "--json").out)["entries"][0]
    assert (entry["action"], entry["subject"]) == ("plugin.forget", "scripted")
    assert (entry["before"], entry["after"]) == ({"state": "loaded"}, None)


@pytest.mark.parametrize("asked", [True, False])
def test_data_goes_only_where_it_was_asked_for(
    cli: Cli, pip: Pip, paths: Paths, monkeypatch: pytest.MonkeyPatch, asked: bool
) -> None:
    folder = paths.providers_dir / "scripted"
    folder.mkdir(parents=True)
    removal = replace(REMOVAL, data=(folder,))
    monkeypatch.setattr(uninstaller, "plan_removal", lambda *_: removal)
    result = cli("plugins", "uninstall", "scripted", "--yes", *(["--purge"] if asked else []))
    assert result.code == 0
    assert folder.exists() is not asked
    assert (str(folder) in result.err) is asked


def test_what_is_refused_stays(cli: Cli, pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Conflict("Ours.", fix="Disable it.", code="first_party_plugin")

    monkeypatch.setattr(uninstaller, "plan_removal", refuse)
    result = cli("plugins", "uninstall", "ollama", "--yes")
    assert result.code == 6 and "first_party_plugin" in result.err
    assert pip.removed == []


def test_what_pip_says_is_shown_where_it_fails(cli: Cli, pip: Pip) -> None:
    pip.failure = InstallFailed("It failed.", fix="Look.", code="uninstall_failed", output="why")
    result = cli("plugins", "uninstall", "scripted", "--yes")
    assert result.code != 0 and "why" in result.err and "uninstall_failed" in result.err
    assert json.loads(cli("plugins", "--json").out)["plugins"][0]["state"] == "loaded"


def test_a_plugin_of_others_is_loaded_anew(cli: Cli) -> None:
    result = cli("plugins", "reload", "scripted", "--json")
    assert result.code == 0
    assert json.loads(result.out)["plugin"]["state"] == "loaded"
    assert cli("plugins", "reload", "nobody").code != 0


def test_the_edit_loop_is_for_this_machine_alone(cli: Cli) -> None:
    result = cli("serve", "--host", "0.0.0.0", "--port", "0", "--reload-plugins")
    assert result.code == 2
    assert "--reload-plugins" in result.err and "this machine only" in result.err
