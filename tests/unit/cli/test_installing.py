"""Installing from the command line: the plan, the folder of wheels that a person names."""

from __future__ import annotations

import io

import pytest

from venom_core.cli import installing
from venom_core.installing.installer import InstallPlan, InstallResult
from venom_core.installing.planned import Addition
from venom_core.installing.sources import InstallSource
from venom_core.sdk.errors import NotFound, VenomError
from venom_core.sdk.pip import InstallFailed

PLAN = InstallPlan(
    "llamacpp",
    "venom-llamacpp[engine]==1",
    InstallSource(None, {}),
    True,
    (Addition("engine", "1", "engine.whl", 34_000_000, None, None),),
)


class Installer:
    """Finds the plan in one folder alone."""

    def __init__(self, folder: str | None) -> None:
        self.folder = folder

    def plan(self, name: str, *, third_party: bool = False) -> InstallPlan:
        if self.folder == "/nowhere":
            raise NotFound("No folder.", fix="", code="wheelhouse_not_found")
        if self.folder != "/wheels":
            raise InstallFailed("None.", fix="Name it.", code="plugin_not_available", output="pip")
        return PLAN

    def install(self, plan: InstallPlan, *, output: object = None) -> InstallResult:
        INSTALLED.append(self.folder)
        return InstallResult(plan, "1")


INSTALLED: list[str | None] = []


@pytest.fixture(autouse=True)
def _installer(monkeypatch) -> None:
    INSTALLED.clear()
    monkeypatch.setattr(installing, "make_installer", lambda folder=None: Installer(folder))


@pytest.fixture
def person(monkeypatch):
    """Somebody at a terminal who types these lines."""

    def sit(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr("venom_core.cli.terminal.is_terminal", lambda stream: True)

    return sit


def test_a_person_is_asked_for_the_folder_until_it_has_the_wheels(person, capfd) -> None:
    person("/nowhere", "/other", "/wheels")
    assert installing.install_and_show("llamacpp")["success"] is True
    assert INSTALLED == ["/wheels"]
    shown = capfd.readouterr().err
    assert shown.count("installed from: [none]") == 3
    assert "34 MB" in shown


@pytest.mark.parametrize("lines", [("",), ("/other", ""), ()])
def test_no_folder_is_the_refusal(person, lines) -> None:
    person(*lines)
    with pytest.raises(VenomError) as caught:
        installing.install_and_show("llamacpp")
    assert caught.value.code == "plugin_not_available" and caught.value.fix == "Name it."
    assert INSTALLED == []


@pytest.mark.parametrize("how", [{"quiet": True}, {"third_party": True}])
def test_json_and_strangers_ask_for_no_folder(person, how, capfd) -> None:
    person("/wheels")
    with pytest.raises(VenomError):
        installing.install_and_show("llamacpp", **how)
    assert INSTALLED == [] and "installed from" not in capfd.readouterr().err


def test_without_a_terminal_nothing_is_asked(monkeypatch, capfd) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("/wheels\n"))
    with pytest.raises(VenomError):
        installing.install_and_show("llamacpp")
    assert INSTALLED == [] and "installed from" not in capfd.readouterr().err


def test_ctrl_c_says_what_remains(person, monkeypatch, capfd) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Installer, "install", stop)
    person("/wheels")
    with pytest.raises(KeyboardInterrupt):
        installing.install_and_show("llamacpp")
    assert installing.INTERRUPTED in capfd.readouterr().err
