"""A provider that only observes: opened without being asked for, and asked for nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.plugins.distributions import HOOK, install_plugin
from venom_core.models.asked_providers import AskedProviders
from venom_core.plugins.host import PluginHost
from venom_core.sdk.states import PluginState, ProviderStatus
from venom_core.settings.active_profile import ActiveProfile
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import until

MANIFEST = """
from venom_core.sdk import EngineRequirement

@hookimpl
def venom_providers():
    return [ProviderSpec(
        name="watch", title="Watch", summary="Watches.", factory="venom_watch.provider:Watch",
        capabilities=frozenset({abilities}), observes={observes}, engine={engine},
    )]
"""
PROVIDER = """
from venom_core.sdk import Health, Provider, ProviderStatus

class Watch(Provider):
    life = []

    async def open(self):
        self.life.append("open")

    async def close(self):
        self.life.append("close")

    async def health(self):
        return Health(ProviderStatus.READY)

    async def models(self):
        self.life.append("models")
        return []
"""
Make = Callable[..., PluginHost]


def plant(site: Path, observes: str = "True", abilities: str = "", engine: str = "None") -> None:
    manifest = HOOK + MANIFEST.format(observes=observes, abilities=abilities, engine=engine)
    install_plugin(site, "watch", manifest, provider=PROVIDER)


def life() -> list[str]:
    found: list[str] = sys.modules["venom_watch.provider"].Watch.life
    return found


def status(host: PluginHost) -> ProviderStatus:
    (record,) = host.records()
    (provider,) = record.providers
    return provider.status


async def test_it_is_open_once_its_plugin_is_loaded(site: Path, make_host: Make) -> None:
    plant(site)
    host = make_host()
    host.scan()
    await host.load_all()
    await until(lambda: status(host) is ProviderStatus.READY)
    await host.load_all()
    assert life() == ["open"]
    await host.close()
    assert life() == ["open", "close"]


async def test_one_that_does_not_waits_to_be_asked_for(site: Path, make_host: Make) -> None:
    plant(site, observes="False")
    host = make_host()
    host.scan()
    await host.load_all()
    await host.refresh()
    assert status(host) is ProviderStatus.IDLE
    assert "venom_watch.provider" not in sys.modules
    await host.close()


async def test_nobody_asks_it_for_models(site: Path, make_host: Make, tmp_path: Path) -> None:
    plant(site)
    install_plugin(site, "acme")
    host = make_host()
    host.scan()
    profile = ActiveProfile(Settings.load(Paths.at(tmp_path / "home")))
    asked = AskedProviders(host, profile)
    await asked.begin_loading()
    assert (await asked.names(), sorted(host.specs())) == (["acme"], ["acme", "watch"])
    await host.close()


async def test_it_opens_when_its_library_is_there_at_last(site: Path, make_host: Make) -> None:
    plant(site, engine="EngineRequirement('acme_telemetry.sdk', 'watch')")
    host = make_host()
    host.scan()
    await host.load_all()
    await until(lambda: status(host) is ProviderStatus.UNAVAILABLE)
    (record,) = host.records()
    reason = record.providers[0].reason
    assert record.state is PluginState.LOADED
    assert reason is not None
    assert (reason.code, reason.fix) == ("engine_missing", "venom plugins install watch")
    (site / "acme_telemetry").mkdir()
    for name in ("__init__.py", "sdk.py"):
        (site / "acme_telemetry" / name).write_text("")
    await host.refresh()
    await until(lambda: status(host) is ProviderStatus.READY)
    await host.close()


async def test_a_retry_opens_it_again(site: Path, make_host: Make) -> None:
    plant(site)
    host = make_host()
    host.scan()
    await host.load_all()
    await until(lambda: status(host) is ProviderStatus.READY)
    await host.disable("watch")
    assert life() == ["open", "close"]
    await host.enable("watch")
    await until(lambda: life() == ["open", "close", "open"])
    await host.close()


@pytest.mark.parametrize(
    ("observes", "abilities", "clause"),
    [
        ("'yes'", "", "observes of watch is not true or false"),
        ("True", "{Capability.CHAT}", "watch observes, and declares capabilities all the same"),
    ],
)
async def test_a_declaration_that_cannot_be(
    site: Path, make_host: Make, observes: str, abilities: str, clause: str
) -> None:
    plant(site, observes=observes, abilities=abilities)
    host = make_host()
    host.scan()
    await host.load_all()
    (record,) = host.records()
    assert record.state is PluginState.FAILED
    assert record.reason is not None
    assert (record.reason.code, clause in record.reason.message) == ("bad_spec", True)
    await host.close()
