"""A plugin that is being written: loaded anew, its answers ended first; one that is gone."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.unit.plugins.distributions import GOOD, PROVIDER, install_plugin
from venom_core.plugins import host as host_module
from venom_core.plugins.records import PluginRecord
from venom_core.plugins.source_watch import SourceWatch
from venom_core.sdk.errors import Conflict, NotFound, VenomError
from venom_core.sdk.messages import ChatRequest
from venom_core.sdk.states import PluginState
from venom_core.testing.deadlines import patience, until

REQUEST = ChatRequest("m", {"messages": []}, True, "test")
#: Answers once it is let go, and says when it was closed.
SLOW = """
import asyncio
from venom_core.sdk import Frame, Health, Provider, ProviderStatus, delta, finish

class Acme(Provider):
    events = []

    async def open(self):
        self.go = asyncio.Event()

    async def close(self):
        self.events.append("closed")
        self.go.set()

    async def health(self):
        return Health(ProviderStatus.READY, version="1")

    async def models(self):
        return []

    async def chat(self, request):
        yield Frame.of(delta("one", role="assistant"))
        await self.go.wait()
        self.events.append("answered")
        yield Frame.of(delta("two"))
        yield Frame.of(finish("stop"))
"""


def save(site: Path, provider: str, package: str = "venom_acme") -> None:
    (site / package / "provider.py").write_text(provider)


async def version(host, name: str = "acme") -> str | None:
    return (await host.health(name)).version


@pytest.fixture
def host(site, make_host):
    install_plugin(site, "acme")
    host = make_host()
    host.scan()
    return host


async def test_what_is_saved_is_what_answers_after_a_reload(site, host):
    assert await version(host) == "1"
    save(site, PROVIDER.replace('version="1"', 'version="2"'))
    assert await version(host) == "1"
    record = await host.reload("acme")
    assert record.state is PluginState.LOADED
    assert await version(host) == "2"


async def test_a_second_save_within_the_same_second_is_seen(site, host, monkeypatch):
    """Compiled files know their source by its size and the whole second of its time."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = site / "venom_acme" / "provider.py"
    os.utime(file, (1_700_000_000, 1_700_000_000))
    assert await version(host) == "1"
    save(site, PROVIDER.replace('version="1"', 'version="2"'))
    os.utime(file, (1_700_000_000, 1_700_000_000))
    await host.reload("acme")
    assert await version(host) == "2"


async def test_a_running_answer_ends_before_its_provider_is_closed(site, host):
    save(site, SLOW)
    provider = await host.provider("acme")
    events = provider.inner.events
    frames = provider.chat(REQUEST)
    await anext(frames)
    reload = asyncio.create_task(host.reload("acme"))
    await until(lambda: not host.reloadable())
    assert host.resolve_name("acme") == "acme"  # its name is known all the while
    newcomer = asyncio.create_task(host.provider("acme"))
    await asyncio.sleep(0.1)
    assert events == [] and not reload.done() and not newcomer.done()
    provider.inner.go.set()
    rest = [frame async for frame in frames]
    assert len(rest) == 2
    async with asyncio.timeout(patience(10)):
        await reload
        new = await newcomer  # waited for the new one, and was refused nothing
    assert events == ["answered", "closed"]
    assert new.inner is not provider.inner and type(new.inner) is not type(provider.inner)
    await host.close()


async def test_an_answer_that_does_not_end_is_broken_off(site, host, monkeypatch, caplog):
    monkeypatch.setattr(host_module, "DRAIN_SECONDS", 0.05)
    save(site, SLOW)
    provider = await host.provider("acme")
    frames = provider.chat(REQUEST)
    await anext(frames)
    async with asyncio.timeout(patience(10)):
        record = await host.reload("acme")
    assert record.state is PluginState.LOADED
    assert provider.inner.events == ["closed"]
    assert "answers of acme did not end" in caplog.text
    await frames.aclose()
    await host.close()


async def test_nothing_under_way_waits_for_nothing(site, host):
    """Answers that ended, by themselves or because their reader left, are none under way."""
    save(site, SLOW)
    provider = await host.provider("acme")
    provider.inner.go.set()
    whole, left, unread = (provider.chat(REQUEST) for _ in range(3))
    assert len([frame async for frame in whole]) == 3
    await anext(left)
    await left.aclose()
    await unread.aclose()
    assert await provider.drain(0) is True
    await host.close()


async def test_closing_the_host_in_the_middle_of_a_reload_closes_the_provider(site, host):
    save(site, SLOW)
    provider = await host.provider("acme")
    frames = provider.chat(REQUEST)
    await anext(frames)
    reload = asyncio.create_task(host.reload("acme"))
    await until(lambda: not host.reloadable())
    async with asyncio.timeout(patience(10)):
        await host.close()
        await reload
    assert provider.inner.events[0] == "closed"
    await frames.aclose()


async def test_ours_are_loaded_once(site, make_host):
    install_plugin(site, "onnx", version="2026.11.0")
    host = make_host()
    host.scan()
    await host.load_all()
    with pytest.raises(Conflict) as caught:
        await host.reload("onnx")
    assert caught.value.code == "first_party_plugin"
    assert host.reloadable() == []


async def test_a_package_that_two_plugins_share_stays_in_memory(site, host):
    install_plugin(site, "beta", distribution="beta", package="venom_acme")
    (site / "venom_acme" / "plugin.py").write_text(
        GOOD.format(name="acme", package="venom_acme", aliases=())
    )
    await host.rescan()
    await host.load_all()
    before = sys.modules["venom_acme.plugin"]
    await host.reload("acme")
    assert sys.modules["venom_acme.plugin"] is before


class TestWatch:
    @pytest.fixture
    def told(self) -> list[PluginRecord]:
        return []

    @pytest.fixture
    async def watch(self, host, told) -> SourceWatch:
        await host.load_all()
        watch = SourceWatch(host, told.append)
        await watch.look()
        return watch

    async def test_a_save_is_loaded_once_it_has_settled(self, site, host, watch, told):
        assert await version(host) == "1"
        await watch.look()
        save(site, PROVIDER.replace('version="1"', 'version="22"'))
        await watch.look()
        assert await version(host) == "1"  # an editor may be in the middle of it
        save(site, PROVIDER.replace('version="1"', 'version="333"'))
        await watch.look()
        assert await version(host) == "1"
        await watch.look()
        assert await version(host) == "333"
        await watch.look()  # no reload without a save
        assert [(record.id, record.state) for record in told] == [("acme", PluginState.LOADED)]

    async def test_a_syntax_error_fails_and_the_next_save_brings_it_back(
        self, site, host, watch, told
    ):
        manifest = site / "venom_acme" / "plugin.py"
        good = manifest.read_text()
        manifest.write_text("def broken(:\n")
        await watch.look()
        await watch.look()
        record = host.records()[0]
        assert record.state is PluginState.FAILED and record.reason is not None
        assert record.reason.code == "import_failed"
        assert "in plugin.py, line 1" in record.reason.message
        with pytest.raises(VenomError):
            await host.provider("acme")
        manifest.write_text(good)
        await watch.look()
        await watch.look()
        assert host.records()[0].state is PluginState.LOADED
        assert await version(host) == "1"
        assert [record.state for record in told] == [PluginState.FAILED, PluginState.LOADED]

    async def test_it_runs_by_itself_until_it_is_closed(self, site, host):
        await host.load_all()
        watch = SourceWatch(host, lambda record: None, seconds=0.01)
        watch.start()
        try:
            await asyncio.sleep(0.05)
            save(site, PROVIDER.replace('version="1"', 'version="22"'))

            async with asyncio.timeout(patience(20)):
                while await version(host) != "22":  # noqa: ASYNC110 -- asks the provider
                    await asyncio.sleep(0.02)
        finally:
            await watch.close()
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("watch")]


class TestInstalledMeanwhile:
    async def test_a_provider_is_found_that_was_installed_since(self, site, host):
        await host.load_all()
        with pytest.raises(NotFound):
            await host.provider("late")
        install_plugin(site, "late")
        assert await host.provider("late")
        assert await host.look_again() is False

    async def test_a_listing_has_what_was_installed_since(self, site, host):
        await host.load_all()
        install_plugin(site, "late")
        assert await host.look_again() is True
        assert [record.id for record in host.records()] == ["acme", "late"]

    async def test_one_that_was_uninstalled_is_closed_and_forgotten(self, site, host):
        provider = await host.provider("acme")
        with pytest.raises(Conflict):
            await host.forget("acme")
        shutil.rmtree(next(site.glob("venom_acme-*.dist-info")))
        record = await host.forget("acme")
        assert (record.id, record.state) == ("acme", PluginState.LOADED)
        assert provider.inner.closed == 1
        assert host.records() == [] and "venom_acme.plugin" not in sys.modules
        with pytest.raises(NotFound):
            await host.forget("acme")
