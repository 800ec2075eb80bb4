"""The table of profiles: whole in itself, and one with what plugins and the documentation say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import profiles_page
from venom_core.plugins.host import PluginHost
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.sdk.errors import NotFound
from venom_core.settings.active_profile import ActiveProfile
from venom_core.settings.core import CORE_SETTINGS, PROFILE_NAMES
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.settings.profiles import (
    ALIASES,
    LEGACY_LIGHT,
    OWN_SERVICES,
    PROFILES,
    differences,
    every_profile,
    find_profile,
)

#: What starts nothing of its own.
NO_ENGINE = {"remote", "otel"}


@pytest.fixture
async def host(tmp_path: Path) -> PluginHost:
    """The plugins of this checkout, loaded and not opened."""
    paths = Paths.at(tmp_path)
    host = PluginHost(Settings.load(paths, {}), paths)
    host.scan()
    await host.load_all()
    return host


def test_the_contract_of_the_older_system() -> None:
    assert dict(ALIASES) == {
        "privacy": "light", "local": "light", "api": "llm_off", "cloud": "llm_off",
        "beast": "full", "extended": "full",
    }  # fmt: skip
    assert {name: row.services[:3] for name, row in PROFILES.items()} == {
        "light": ("backend", "ui", "ollama"),
        "llm_off": ("backend", "ui"),
        "full": ("backend", "ui", "ollama"),
    }
    assert {name: row.excludes for name, row in PROFILES.items()} == {
        "light": ("vllm",), "llm_off": (), "full": ()
    }  # fmt: skip


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_every_name_is_found(name: str) -> None:
    assert find_profile(name).name in PROFILES


@pytest.mark.parametrize("name", ["", "dark", "Light", "light ", "li\0ght", "x" * 500, "../light"])
def test_what_is_no_name_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(NotFound) as caught:
        find_profile(name)
    assert caught.value.fix == "Choose one of: light, llm_off, full"
    assert len(caught.value.message) < 120


def test_rows_agree_in_themselves() -> None:
    for row in (*every_profile(), *every_profile(legacy_light=True)):
        assert row.services[: len(OWN_SERVICES)] == OWN_SERVICES
        assert row.chat == bool(row.requires) == bool(row.runtimes) == bool(row.providers)
        assert not {*row.requires, *row.runtimes, *row.providers} & {*row.excludes}
        assert row.environment["VENOM_RUNTIME_PROFILE"] == row.name
        assert {*row.requires} <= {*row.runtimes}
        known = {part.env for part in CORE_SETTINGS}
        assert row.environment.keys() <= known, "a container is given settings that there are"


def test_the_names_in_it_are_plugins_of_the_release() -> None:
    named = {name for row in PROFILES.values() for name in (*row.providers, *row.excludes)}
    assert named <= RESERVED_NAMES.keys()


async def test_full_names_every_engine_of_the_release(host: PluginHost) -> None:
    ours = {record.id for record in host.records() if record.origin == "first_party"}
    providers = {p.name for record in host.records() for p in record.providers}
    assert {*PROFILES["full"].providers} == (ours & providers) - NO_ENGINE


async def test_the_order_is_the_one_that_the_plugins_declare(host: PluginHost) -> None:
    declared = host.preference()
    for row in PROFILES.values():
        if row.chat:
            assert row.runtimes == tuple(n for n in declared if n not in row.excludes)
            assert row.ranked(declared) == row.runtimes


async def test_the_model_of_a_container_is_the_one_without_it(host: PluginHost) -> None:
    spec = host.specs()["ollama"]
    for row in PROFILES.values():
        if row.chat:
            assert row.environment["OLLAMA_MODEL"] == spec.default_model


def test_the_order_of_the_profile_goes_first_and_others_follow() -> None:
    light = PROFILES["light"]
    assert light.ranked(("acme", "vllm", "onnx", "ollama")) == ("ollama", "onnx", "acme")
    assert PROFILES["llm_off"].ranked(("acme", "ollama")) == ("acme", "ollama")


def test_who_may_be_the_active_server() -> None:
    allowed = {name: [row.allows("ollama"), row.allows("vllm")] for name, row in PROFILES.items()}
    assert allowed == {"light": [True, False], "llm_off": [False, False], "full": [True, True]}


def test_legacy_light_is_llm_off_under_the_other_name() -> None:
    off, old = PROFILES["llm_off"], LEGACY_LIGHT
    same = ("chat", "requires", "excludes", "services", "runtimes")
    assert [getattr(off, key) for key in same] == [getattr(old, key) for key in same]
    assert find_profile("privacy", legacy_light=True) is LEGACY_LIGHT
    assert find_profile("full", legacy_light=True) is PROFILES["full"]


def test_the_active_profile_is_read_at_use(tmp_path: Path) -> None:
    settings = Settings.load(Paths.at(tmp_path), {})
    active = ActiveProfile(settings)
    assert (active.name, active.chat, active.fixed_by) == ("light", True, None)
    settings.change({"features.legacy_light": True})
    assert (active.name, active.chat) == ("light", False)
    settings.change({"features.legacy_light": None})
    active.become("beast")
    assert (active.name, active.excludes, active.configured) == ("full", (), "light")


def test_differences() -> None:
    before = {"name": "a", "active": True, "summary": "x", "requires": ["o"], "services": ["b"]}
    after = {"name": "b", "active": False, "summary": "y", "requires": [], "services": ["b"]}
    assert list(differences(before, after)) == [("requires", ["o"], [])]


@pytest.mark.parametrize("language", ["en", "pl"])
def test_the_documentation_has_the_table(language: str) -> None:
    page = profiles_page.TARGETS[language].read_text(encoding="utf-8")
    assert profiles_page.rendered(language) == page
    assert profiles_page.rendered(language, page.replace("`vllm`", "`onnx`")) != page.replace(
        "`vllm`", "`onnx`"
    ), "a page that says something else is stale"
    cells = re.findall(r"`([^`]+)`", page.partition("\n## ")[2].partition("\n## ")[0])
    assert {*PROFILES, *ALIASES} <= {*cells}


def test_a_page_without_its_table_is_named() -> None:
    with pytest.raises(ValueError, match="no table of profiles"):
        profiles_page.rendered("en", "# Profiles\n")
