"""Uninstalling: what goes is known first, ours are refused, and what is a person's stays."""

from __future__ import annotations

import tomllib
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tests.unit.plugins.distributions import install_plugin, scan_of
from venom_core.installing import uninstaller
from venom_core.sdk import pip
from venom_core.sdk.errors import VenomError
from venom_core.settings.paths import Paths


@pytest.fixture
def site(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(uninstaller, "scan", lambda: scan_of(folder))

    def distribution(name: str) -> Distribution:
        return next(iter(Distribution.discover(name=name, path=[str(folder)])))

    monkeypatch.setattr("importlib.metadata.distribution", distribution)
    return folder


@pytest.fixture
def paths(tmp_path) -> Paths:
    return Paths.at(tmp_path / "home")


def record(site: Path) -> None:
    """Write the list of files that pip would have."""
    files = [one.relative_to(site) for one in site.rglob("*") if one.is_file()]
    next(site.glob("*.dist-info/RECORD")).write_text("".join(f"{file},,\n" for file in files))


@pytest.mark.parametrize("name", ["acme", "venom-acme", "Venom_Acme"])
def test_what_goes_is_counted(site, paths, name):
    install_plugin(site, "acme", version="1.2")
    record(site)
    (paths.providers_dir / "acme").mkdir(parents=True)
    (paths.providers_dir / "acme-two").mkdir()
    (paths.providers_dir / "acme-two" / "file").write_bytes(b"12345")
    (paths.providers_dir / "other").mkdir()
    removal = uninstaller.plan_removal(name, paths, ["acme-two"])
    assert (removal.distribution, removal.version) == ("venom-acme", "1.2")
    assert removal.plugins == ("acme",) and removal.folder == site
    assert removal.files == len([one for one in site.rglob("*") if one.is_file()])
    assert removal.size_bytes == sum(one.stat().st_size for one in site.rglob("*") if one.is_file())
    assert {place.name for place in removal.data} == {"acme", "acme-two"}
    assert removal.data_bytes == 5


@pytest.mark.parametrize(
    ("name", "code"),
    [("nobody", "plugin_not_found"), ("onnx", "first_party_plugin"),
     ("venom-onnx", "first_party_plugin"), ("twin", "ambiguous_plugin")],
)  # fmt: skip
def test_what_may_not_go_is_refused_with_the_reason(site, paths, name, code):
    install_plugin(site, "onnx", version="2026.11.0")
    install_plugin(site, "twin", distribution="twin-one")
    install_plugin(site, "twin", distribution="twin-two")
    with pytest.raises(VenomError) as caught:
        uninstaller.plan_removal(name, paths)
    assert caught.value.code == code and caught.value.fix


def test_what_pip_left_is_no_success(site, paths, monkeypatch):
    """pip ends well where the distribution is one outside of its environment."""
    install_plugin(site, "acme")
    monkeypatch.setattr(pip.Pip, "uninstall", lambda *_, **__: None)
    with pytest.raises(VenomError) as caught:
        uninstaller.remove(uninstaller.plan_removal("acme", paths))
    assert caught.value.code == "uninstall_failed" and str(site) in (caught.value.fix or "")


def test_a_purge_takes_its_data_and_settings_and_nothing_else(site, paths):
    install_plugin(site, "acme")
    for name in ("acme", "other"):
        (paths.providers_dir / name).mkdir(parents=True)
    (paths.models_dir / "acme").mkdir(parents=True)
    paths.config_file.write_text(
        "# mine\n[providers.acme]\nslots = 2\n\n[providers.other]\nslots = 3\n"
    )
    uninstaller.purge(uninstaller.plan_removal("acme", paths), paths)
    assert [one.name for one in paths.providers_dir.iterdir()] == ["other"]
    assert (paths.models_dir / "acme").is_dir()
    text = paths.config_file.read_text()
    assert tomllib.loads(text) == {"providers": {"other": {"slots": 3}}}
    assert "# mine" in text


def test_a_purge_makes_no_configuration_file(site, paths):
    install_plugin(site, "acme")
    uninstaller.purge(uninstaller.plan_removal("acme", paths), paths)
    assert not paths.config_file.exists()
