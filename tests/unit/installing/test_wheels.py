"""A wheel file is looked at before pip, or anything of it, runs."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.made_wheels import wheel
from venom_core.installing import installer
from venom_core.installing.installer import PluginInstaller
from venom_core.installing.wheels import read_wheel
from venom_core.sdk import pip
from venom_core.sdk.disk import sha256_of
from venom_core.sdk.errors import VenomError
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

CORE = "2026.11.0"
GROUP = {"venom.providers.v1": "demo = venom_demo.plugin"}


def test_a_plugin_is_read_whole(tmp_path):
    path = wheel(tmp_path, "venom-demo", "0.1", requires=("venom>=2026.11,<2027",), entries=GROUP)
    read = read_wheel(str(path), CORE)
    assert (read.distribution, read.version) == ("venom-demo", "0.1")
    assert (read.sha256, read.size_bytes) == (sha256_of(path), path.stat().st_size)
    assert read.requirement == f"venom-demo @ {path.as_uri()} --hash=sha256:{read.sha256}"


def renamed(path: Path, name: str) -> Path:
    return path.rename(path.with_name(name))


def rewritten(path: Path, change) -> Path:
    """Write a wheel again with ``change`` of its files, its list of hashes as it was."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:-40])
    return path


INFO = "venom_demo-0.1.dist-info"
BAD = {
    "no entry point": ("not_a_plugin", lambda folder: wheel(folder, "acme", "1")),
    "another group": (
        "not_a_plugin",
        lambda folder: wheel(folder, "acme", "1", entries={"console_scripts": "a = acme:main"}),
    ),
    "another API": (
        "api_mismatch",
        lambda folder: wheel(folder, "acme", "1", entries={"venom.providers.v2": "a = acme.p"}),
    ),
    "another core": (
        "core_mismatch",
        lambda folder: wheel(folder, "acme", "1", requires=("venom>=2099",), entries=GROUP),
    ),
    "our plugin's name": (
        "name_reserved",
        lambda folder: wheel(
            folder, "acme", "1", entries={"venom.providers.v1": "ollama = acme.plugin"}
        ),
    ),
    "our distribution": ("plan_refused", lambda folder: wheel(folder, "venom-hf", CORE)),
    "the core itself": ("plan_refused", lambda folder: wheel(folder, "venom", "2099.1.0")),
    "cut short": (
        "wheel_damaged",
        lambda folder: cut(wheel(folder, "venom-demo", "0.1", entries=GROUP)),
    ),
    "another's name": (
        "wheel_damaged",
        lambda folder: renamed(
            wheel(folder, "venom-demo", "0.1", entries=GROUP), "venom_other-0.1-py3-none-any.whl"
        ),
    ),
    "another's version": (
        "wheel_damaged",
        lambda folder: renamed(
            wheel(folder, "venom-demo", "0.1", entries=GROUP), "venom_demo-0.2-py3-none-any.whl"
        ),
    ),
    "no wheel's name": (
        "wheel_damaged",
        lambda folder: renamed(wheel(folder, "venom-demo", "0.1", entries=GROUP), "demo.whl"),
    ),
    "another Python": (
        "plugin_not_available",
        lambda folder: renamed(
            wheel(folder, "venom-demo", "0.1", entries=GROUP), "venom_demo-0.1-cp27-none-any.whl"
        ),
    ),
    "a changed file": (
        "wheel_damaged",
        lambda folder: rewritten(
            wheel(folder, "venom-demo", "0.1", entries=GROUP),
            lambda files: files.update({"venom_demo/__init__.py": b"evil = True\n"}),
        ),
    ),
    "a file that is not listed": (
        "wheel_damaged",
        lambda folder: rewritten(
            wheel(folder, "venom-demo", "0.1", entries=GROUP),
            lambda files: files.update({"venom_core/more.py": b"evil = True\n"}),
        ),
    ),
    "no list": (
        "wheel_damaged",
        lambda folder: rewritten(
            wheel(folder, "venom-demo", "0.1", entries=GROUP),
            lambda files: files.pop(f"{INFO}/RECORD"),
        ),
    ),
    "two distributions": (
        "wheel_damaged",
        lambda folder: rewritten(
            wheel(folder, "venom-demo", "0.1", entries=GROUP),
            lambda files: files.update({"other-1.dist-info/METADATA": b"Name: other\n"}),
        ),
    ),
    "huge metadata": (
        "wheel_damaged",
        lambda folder: rewritten(
            wheel(folder, "venom-demo", "0.1", entries=GROUP),
            lambda files: files.update({f"{INFO}/METADATA": b"x" * 5_000_000}),
        ),
    ),
    "a text": ("wheel_damaged", lambda folder: text_file(folder)),
    "no file": ("file_not_found", lambda folder: folder / "venom_demo-0.1-py3-none-any.whl"),
    "a folder": ("file_not_found", lambda folder: folder.with_suffix(".whl")),
}


def text_file(folder: Path) -> Path:
    path = folder / "venom_demo-0.1-py3-none-any.whl"
    path.write_text("no zip")
    return path


@pytest.fixture
def planning(tmp_path, monkeypatch):
    monkeypatch.setattr(installer, "_installed", dict)
    monkeypatch.setattr(installer, "__version__", CORE)
    paths = Paths.at(tmp_path / "home")
    return PluginInstaller(Settings.load(paths, {}), paths)


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_plugin_is_refused_before_pip_is_asked(planning, tmp_path, monkeypatch, case):
    def refuse(*_: object) -> None:
        raise AssertionError("pip was asked")

    monkeypatch.setattr(pip.Pip, "resolve", refuse)
    code, make = BAD[case]
    with pytest.raises(VenomError) as caught:
        planning.plan(str(make(tmp_path)))
    assert caught.value.code == code
    assert caught.value.fix


class TestPlan:
    @pytest.fixture
    def path(self, tmp_path) -> Path:
        return wheel(tmp_path, "venom-demo", "0.1", entries=GROUP)

    @pytest.fixture
    def asked(self, monkeypatch) -> list[str]:
        """Let pip plan nothing; return what it was asked for."""
        asked: list[str] = []

        def resolve(self, requirement, options, constraints):
            asked.append(requirement)
            return {"install": []}

        monkeypatch.setattr(pip.Pip, "resolve", resolve)
        return asked

    def test_exactly_that_file_is_installed(self, planning, path, asked, monkeypatch):
        plan = planning.plan(str(path))
        assert asked == [str(path)]
        assert [(one.name, one.replaces) for one in plan.additions] == [("venom-demo", None)]
        assert plan.summary.endswith(f"from {path.name}.")
        lines: list[str] = []
        monkeypatch.setattr(pip.Pip, "install", lambda self, pins, *_, **__: lines.extend(pins))
        monkeypatch.setattr(installer, "_core_version", lambda: CORE)
        planning.install(plan)
        assert lines == [f"venom-demo @ {path.as_uri()} --hash=sha256:{sha256_of(path)}"]

    @pytest.mark.parametrize("same", [True, False])
    def test_only_another_file_of_the_same_version_is_installed(
        self, planning, path, asked, monkeypatch, same
    ):
        digest = sha256_of(path) if same else "0" * 64
        origin = json.dumps({"url": "file:///x", "archive_info": {"hashes": {"sha256": digest}}})
        there = SimpleNamespace(version="0.1", read_text=lambda _: origin)
        monkeypatch.setattr(installer, "_installed", lambda: {"venom-demo": there})
        plan = planning.plan(str(path))
        assert plan.done is same
        assert [one.replaces for one in plan.additions] == ([] if same else ["0.1"])

    def test_what_it_needs_is_judged_as_ever(self, planning, path, monkeypatch):
        item = {
            "metadata": {"name": "venom", "version": "2099.1.0", "requires_dist": []},
            "download_info": {"url": "file:///x/venom.whl", "archive_info": {}},
        }
        monkeypatch.setattr(pip.Pip, "resolve", lambda *_: {"install": [item]})
        with pytest.raises(VenomError) as caught:
            planning.plan(str(path))
        assert caught.value.code == "plan_refused"
