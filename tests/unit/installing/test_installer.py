from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from venom_core.installing import installer
from venom_core.installing.installer import InstallPlan, PluginInstaller
from venom_core.installing.planned import Addition
from venom_core.installing.sources import InstallSource
from venom_core.sdk import pip
from venom_core.sdk.errors import VenomError
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths

CORE = "2026.11.0"


@pytest.fixture
def planning(tmp_path, monkeypatch):
    """An installer whose pip must not be asked."""

    def refuse(*args: object) -> None:
        raise AssertionError("pip was asked")

    monkeypatch.setattr(pip.Pip, "resolve", refuse)
    paths = Paths.at(tmp_path)
    return PluginInstaller(Settings.load(paths), paths)


@pytest.mark.parametrize(
    "name", ["venom", "Venom", "--index-url=http://x", "-e.", "../x", "a b", "x[y]", "x==1", ""]
)
@pytest.mark.parametrize("third_party", [True, False])
def test_what_is_no_plugin_never_reaches_pip(planning, name, third_party):
    with pytest.raises(VenomError) as caught:
        planning.plan(name, third_party=third_party)
    assert caught.value.code == "invalid_plugin_name"


def test_stranger_needs_a_confirmation(planning):
    with pytest.raises(VenomError) as caught:
        planning.plan("Acme_Tools")
    assert caught.value.code == "third_party_plugin"
    assert caught.value.fix.endswith("venom plugins install acme-tools --third-party")


def entry(name, version, *requires, direct=False):
    """One distribution of pip's installation report."""
    return {
        "metadata": {"name": name, "version": version, "requires_dist": list(requires)},
        "download_info": {"url": f"file:///x/{name}-{version}.whl", "archive_info": {}},
        "is_direct": direct,
    }


@pytest.mark.parametrize(
    "item",
    [
        entry("Venom", CORE, f"venom=={CORE}"),
        entry("venom", "2099.1.0"),
        entry("venom-onnx", CORE),
        entry("venom_onnx", "2099.1.0", f"venom=={CORE}"),
        entry("venom-hf", CORE, f"venom=={CORE}; extra == 'x'"),
        entry("left-pad", "1.0", direct=True),
    ],
)
def test_whatever_pip_plans_ours_is_not_touched(planning, monkeypatch, item):
    monkeypatch.setattr(installer, "_installed", dict)
    monkeypatch.setattr(installer, "__version__", CORE)
    monkeypatch.setattr(pip.Pip, "resolve", lambda *args: {"install": [item]})
    with pytest.raises(VenomError) as caught:
        planning.plan("acme", third_party=True)
    assert caught.value.code == "plan_refused"


@pytest.mark.parametrize(
    "item",
    [
        entry("venom-hf", CORE, f"venom=={CORE}"),  # ours, and even of this release
        entry("Venom_Lab", "2.0"),
    ],
)
def test_what_is_installed_under_our_name_is_not_replaced(planning, monkeypatch, item):
    """A stranger's plugin may not bring another version of a plugin that is there."""
    there = {name: SimpleNamespace(version="0.9") for name in ("venom-hf", "venom-lab")}
    monkeypatch.setattr(installer, "_installed", lambda: there)
    monkeypatch.setattr(installer, "__version__", CORE)
    monkeypatch.setattr(pip.Pip, "resolve", lambda *args: {"install": [entry("acme", "1"), item]})
    with pytest.raises(VenomError) as caught:
        planning.plan("acme", third_party=True)
    assert caught.value.code == "plan_refused"
    assert "it would replace venom-" in caught.value.message and "0.9" in caught.value.message


def test_the_plugin_that_is_asked_for_may_be_replaced(planning, monkeypatch):
    item = entry("venom-lab", "2.0")
    monkeypatch.setattr(
        installer, "_installed", lambda: {"venom-lab": SimpleNamespace(version="1")}
    )
    monkeypatch.setattr(pip.Pip, "resolve", lambda *args: {"install": [item]})
    plan = planning.plan("venom-lab", third_party=True)
    assert [(each.name, each.version) for each in plan.additions] == [("venom-lab", "2.0")]


@pytest.mark.parametrize("sums", ["", "0" * 64])
def test_a_wheel_that_is_not_the_one_of_the_list_is_refused(planning, monkeypatch, sums):
    """The list names another file, or the same file with other bytes."""
    item = entry("venom-onnx", CORE, f"venom=={CORE}")
    item["download_info"]["archive_info"] = {"hashes": {"sha256": "1" * 64}}
    listed = {f"venom-onnx-{CORE}.whl": sums} if sums else {"other.whl": "1" * 64}
    monkeypatch.setattr(installer, "_installed", dict)
    monkeypatch.setattr(installer, "__version__", CORE)
    monkeypatch.setattr(installer, "find_source", lambda *_: InstallSource(Path("/x"), listed))
    monkeypatch.setattr(pip.Pip, "resolve", lambda *args: {"install": [item]})
    with pytest.raises(VenomError, match="SHA256SUMS") as caught:
        planning.plan("onnx")
    assert caught.value.code == "plan_refused"


def test_a_core_that_is_another_after_the_install_is_said(planning, monkeypatch):
    versions = iter([CORE, "2099.1.0"])
    monkeypatch.setattr(installer, "_core_version", lambda: next(versions))
    monkeypatch.setattr(pip.Pip, "install", lambda *args, **options: None)
    with pytest.raises(VenomError) as caught:
        planning.install(plan_of(1))
    assert caught.value.code == "core_changed" and "2099.1.0" in caught.value.message


def found_in(folder, name):
    """A wheel that pip's report says it would take from a folder."""
    item = entry(name, CORE, f"venom=={CORE}")
    item["download_info"]["url"] = (folder / f"{name}-{CORE}.whl").as_uri()
    return {"install": [item]}


@pytest.mark.parametrize("failing", [False, True])
def test_the_wheelhouse_of_an_install_is_remembered_for_the_next(tmp_path, monkeypatch, failing):
    """Only one that something was installed from: a mistyped folder must not stay."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    (wheels / f"venom-{CORE}-py3-none-any.whl").touch()
    asked = []

    def resolve(self, requirement, options, constraints):
        asked.append(options)
        return found_in(wheels, "venom-onnx")

    def install(self, *args, **options):
        if failing:
            raise pip._failure("No space left on device")

    monkeypatch.setattr(installer, "_installed", dict)
    monkeypatch.setattr(installer, "__version__", CORE)
    monkeypatch.setattr(pip.Pip, "resolve", resolve)
    monkeypatch.setattr(pip.Pip, "install", install)
    paths = Paths.at(tmp_path / "home")
    named = PluginInstaller(Settings.load(paths, {"VENOM_WHEELHOUSE": str(wheels)}), paths)
    with contextlib.suppress(VenomError):
        named.install(named.plan("onnx"))
    PluginInstaller(Settings.load(paths, {}), paths).plan("onnx")
    alone = ["--no-index", "--find-links", str(wheels)]
    assert asked == [alone, [] if failing else alone]


def plan_of(*sizes):
    additions = [Addition("x", "1", "x.whl", size, None, None) for size in sizes]
    source = InstallSource(None, {})
    return InstallPlan("onnx", "venom-onnx[engine]==1", source, True, tuple(additions))


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((), "nothing to add"),
        ((2_000_000,), "1 package, 2.0 MB, from pip's package index"),
        ((2_000_000, 500_000), "2 packages, 2.5 MB"),
        ((2_000_000, None), "2.0 MB and 1 of unknown size"),
        ((None, None), "of a size that the index does not say"),
    ],
)
def test_summary_tells_what_is_known(sizes, words):
    assert words in plan_of(*sizes).summary


@pytest.mark.parametrize(("name", "there"), [("llamacpp", True), ("onnx", False)])
def test_a_checkout_recommends_what_it_has(tmp_path, monkeypatch, planning, name, there):
    for plugin in ("venom_llamacpp", "venom_remote"):
        (tmp_path / "sources" / "plugins" / plugin).mkdir(parents=True)
        (tmp_path / "sources" / "plugins" / plugin / "pyproject.toml").touch()
    source = InstallSource(None, {}, tmp_path / "sources")
    monkeypatch.setattr(installer, "find_source", lambda *args: source)
    monkeypatch.setattr(installer, "_installed", dict)
    with pytest.raises(VenomError) as caught:
        planning.plan(name)
    assert caught.value.code == "source_checkout"
    assert (f"plugins/venom_{name}[engine]" in caught.value.fix) is there
    assert (caught.value.fix == "The plugins of the checkout are: llamacpp, remote.") is not there


def test_no_message_prints_a_bare_install(tmp_path):
    """On the public index the name is a stranger's."""
    for _, _, message, fix in pip._CAUSES:
        assert "pip install" not in message + fix
    assert "pip install 'venom" not in str(installer._from_checkout("venom-onnx", tmp_path).fix)


def test_user_settings_cannot_add_a_source_to_a_wheelhouse(monkeypatch, tmp_path):
    monkeypatch.setenv("PIP_FIND_LINKS", "elsewhere")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://elsewhere")
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    monkeypatch.setenv("PIP_CACHE_DIR", "cache")
    alone = {
        k: v for k, v in pip._environment(tmp_path, alone=True).items() if k.startswith("PIP_")
    }
    assert set(alone) == {"PIP_CONFIG_FILE", "PIP_CACHE_DIR"}
    theirs = pip._environment(tmp_path, alone=False)
    assert theirs["PIP_FIND_LINKS"] == "elsewhere"
    assert "PIP_TARGET" not in theirs
