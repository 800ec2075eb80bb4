"""A provider's life, with classes that do what they should not."""

from __future__ import annotations

import asyncio
import sys

import pytest

from tests.unit.plugins.distributions import PROVIDER, install_plugin
from venom_core.plugins import guarded, providers
from venom_core.plugins.reasons import REASONS
from venom_core.sdk import errors
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.provider import Provider
from venom_core.sdk.spec import Capability
from venom_core.sdk.states import ProviderStatus
from venom_core.testing.deadlines import patience, until

TOP = "from venom_core.sdk import Health, Provider, ProviderStatus, VenomError\n"


def with_body(*, method: str, body: str) -> str:
    """The good provider with one method replaced."""
    assert method in PROVIDER
    head, _, rest = PROVIDER.partition(method)
    _, _, tail = rest.partition("\n\n")
    return f"import asyncio, time\n{head}{method}\n        {body}\n\n{tail}"


OPEN = "async def open(self):"
HEALTH = "async def health(self):"

#: what the provider does -> (module, reason code, status)
FAULTS = {
    "raises at import": ("1/0", "factory_failed", ProviderStatus.FAILED),
    "exits at import": ("raise SystemExit", "factory_failed", ProviderStatus.FAILED),
    "has no such class": ("class Other: pass", "factory_failed", ProviderStatus.FAILED),
    "is no provider": ("class Acme: pass", "factory_failed", ProviderStatus.FAILED),
    "is a function": ("def Acme(context): pass", "factory_failed", ProviderStatus.FAILED),
    "is abstract": (TOP + "class Acme(Provider): pass", "factory_failed", ProviderStatus.FAILED),
    "cannot chat": (
        PROVIDER.replace("async def chat", "async def talk"),
        "capability_mismatch",
        ProviderStatus.FAILED,
    ),
    "raises when made": (
        PROVIDER + "\n    def __init__(self, context): raise ValueError('secret text')\n",
        "factory_failed",
        ProviderStatus.FAILED,
    ),
    "raises when opened": (
        with_body(method=OPEN, body="raise ValueError('secret text')"),
        "open_failed",
        ProviderStatus.FAILED,
    ),
    "exits when opened": (
        with_body(method=OPEN, body="raise SystemExit"),
        "open_failed",
        ProviderStatus.FAILED,
    ),
    "runs into a timeout of its own": (
        with_body(method=OPEN, body="raise TimeoutError"),
        "open_failed",
        ProviderStatus.FAILED,
    ),
    "cancels itself": (
        with_body(method=OPEN, body="raise asyncio.CancelledError"),
        "open_failed",
        ProviderStatus.FAILED,
    ),
    "opens for ever": (
        with_body(method=OPEN, body="await asyncio.sleep(60)"),
        "open_timeout",
        ProviderStatus.UNAVAILABLE,
    ),
    "is not async": (
        PROVIDER.replace("async def open", "def open"),
        "open_failed",
        ProviderStatus.FAILED,
    ),
}
STUBBORN = """
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if not self.stubborn:
                    raise
"""


def is_opening(host):
    return host.records()[0].providers[0].status is ProviderStatus.OPENING


class TestOpening:
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_faults(self, site, make_host, fault):
        source, code, status = FAULTS[fault]
        install_plugin(site, "acme", provider=source)
        install_plugin(site, "good")
        host = make_host(plugin_load_timeout=patience(0.5 if code == "open_timeout" else 10))
        host.scan()
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.code == code
        assert code in REASONS
        assert "secret text" not in str(caught.value.record())
        record = host.records()[0].providers[0]
        assert (record.status, record.reason.code) == (status, code)
        assert await host.provider("good")
        health = await host.health("acme")
        assert health.reason.code == code
        await host.close()

    async def test_provider_that_ignores_being_cancelled(self, site, make_host, monkeypatch):
        opening = []
        monkeypatch.setattr(providers, "STUBBORN", opening, raising=False)
        body = f"""self.stubborn = True
        from venom_core.plugins import providers
        providers.STUBBORN.append(self)
{STUBBORN}"""
        install_plugin(site, "acme", provider=with_body(method=OPEN, body=body))
        host = make_host(plugin_load_timeout=patience(0.5))
        host.scan()
        async with asyncio.timeout(patience(20)):
            with pytest.raises(Unavailable) as caught:
                await host.provider("acme")
        assert caught.value.code == "open_timeout"
        opening[0].stubborn = False
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def test_opened_once_however_many_ask(self, site, make_host):
        install_plugin(
            site,
            "acme",
            provider=with_body(
                method=OPEN, body="type(self).opened += 1; await asyncio.sleep(0.05)"
            ),
        )
        host = make_host()
        host.scan()
        got = await asyncio.gather(*(host.provider("acme") for _ in range(20)))
        assert len(set(map(id, got))) == 1
        assert type(got[0].inner).opened == 1

    async def test_asker_that_goes_away_does_not_stop_the_others(
        self, site, make_host, monkeypatch
    ):
        gate = asyncio.Event()
        monkeypatch.setattr(providers, "GATE", gate, raising=False)
        body = "from venom_core.plugins import providers; await providers.GATE.wait()"
        install_plugin(site, "acme", provider=with_body(method=OPEN, body=body))
        host = make_host()
        host.scan()
        await host.load_all()
        first = asyncio.create_task(host.provider("acme"))
        await until(lambda: is_opening(host))
        second = asyncio.create_task(host.provider("acme"))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first}, timeout=patience(5))
        assert first.cancelled()
        gate.set()
        assert await second

    async def test_closing_while_it_opens_is_a_refusal_for_the_asker(self, site, make_host):
        install_plugin(
            site, "acme", provider=with_body(method=OPEN, body="await asyncio.sleep(60)")
        )
        host = make_host(plugin_load_timeout=patience(30))
        host.scan()
        await host.load_all()
        asking = asyncio.create_task(host.provider("acme"))
        await until(lambda: is_opening(host))
        async with asyncio.timeout(patience(5)):
            await host.close()
            with pytest.raises(Unavailable) as caught:
                await asking
        assert caught.value.code == "closed"

    async def test_settings_reach_the_provider(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host({"VENOM_ACME__SLOTS": "7"})
        host.scan()
        provider = await host.provider("acme")
        assert provider.context.settings == {"slots": 7}
        assert provider.context.data_dir.name == "acme"
        assert not provider.context.data_dir.exists()

    async def test_bad_setting_is_named_and_not_the_callers_fault(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host({"VENOM_ACME__SLOTS": "none"})
        host.scan()
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.code == "invalid_setting"
        assert "VENOM_ACME__SLOTS" in caught.value.message

    @pytest.mark.parametrize(
        ("raised", "error"),
        [
            ("UpstreamTimeout('It is late.', fix='Wait.')", errors.UpstreamTimeout),
            ("RateLimited('Slowly.', retry_after=30)", errors.RateLimited),
            ("StorageError('Full.', code='disk_full')", errors.StorageError),
            ("EngineMissing('None.', param='model')", errors.EngineMissing),
            ("Forbidden('No.')", errors.Forbidden),
        ],
    )
    async def test_what_it_refuses_to_open_with_is_refused_again(
        self, site, make_host, raised, error
    ):
        body = f"from venom_core.sdk import errors; raise errors.{raised}"
        install_plugin(site, "acme", provider=with_body(method=OPEN, body=body))
        host = make_host()
        host.scan()
        with pytest.raises(error) as first:
            await host.provider("acme")
        told = first.value.whole()
        for _ in range(2):
            with pytest.raises(error) as again:
                await host.provider("acme")
            wait = again.value.retry_after
            assert {**again.value.whole(), "retry_after": None} == {**told, "retry_after": None}
            assert wait is None or 0 < wait <= 30
            assert error is not errors.RateLimited or wait > 20
        if error is errors.EngineMissing:
            return  # a record looks for the engine anew, and none is declared here
        reason = host.records()[0].providers[0].reason
        assert (type(reason.error()), reason.code) == (error, told["code"])


class TestBackOff:
    async def test_a_failure_is_not_tried_again_at_once(self, site, make_host, monkeypatch):
        now = [1000.0]
        monkeypatch.setattr(providers.time, "monotonic", lambda: now[0])
        body = "type(self).opened += 1; raise ValueError"
        install_plugin(site, "acme", provider=with_body(method=OPEN, body=body))
        host = make_host()
        host.scan()

        async def tries() -> int:
            with pytest.raises(Unavailable) as caught:
                await host.provider("acme")
            assert caught.value.code == "open_failed"
            return sys.modules["venom_acme.provider"].Acme.opened

        pauses = []
        assert await tries() == 1
        for expected in range(2, 10):
            before = now[0]
            while await tries() < expected:
                now[0] += 0.5
            pauses.append(now[0] - before)
        assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.retry_after == 60
        await host.retry("acme")
        assert await tries() == 10

    async def test_engine_that_appears_needs_no_pause(self, site, make_host):
        manifest = """
        from venom_core.sdk import Capability, EngineRequirement, ProviderSpec, hookimpl

        @hookimpl
        def venom_providers():
            return [ProviderSpec("acme", "Acme", "S.", "venom_acme.provider:Acme",
                frozenset({Capability.CHAT}), engine=EngineRequirement("acme_engine.core", "acme"))]
        """
        install_plugin(site, "acme", manifest)
        host = make_host()
        host.scan()
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.code == "engine_missing"
        (site / "acme_engine").mkdir()
        (site / "acme_engine" / "__init__.py").write_text("raise SystemExit('imported')")
        (site / "acme_engine" / "core.py").write_text("")
        await host.rescan()
        assert host.records()[0].providers[0].status is ProviderStatus.IDLE
        assert await host.provider("acme")
        assert "acme_engine" not in sys.modules


class TestOffers:
    """Offers of a provider whose engine is missing."""

    MANIFEST = """
    from venom_core.sdk import Capability, EngineRequirement, ProviderSpec, hookimpl

    @hookimpl
    def venom_providers():
        return [ProviderSpec("acme", "Acme", "S.", "venom_acme.provider:Acme",
            frozenset({{Capability.CHAT}}),
            engine=EngineRequirement("acme_engine", "acme", needed_to_list={needed}))]
    """
    MODELS = "async def models(self):"

    async def offers(self, site, make_host, body: str, *, needed: bool = False):
        provider = with_body(method=self.MODELS, body=body)
        install_plugin(site, "acme", self.MANIFEST.format(needed=needed), provider=provider)
        host = make_host()
        host.scan()
        return host, [model.ref for model in await host.offered("acme")]

    TWO = (
        "from venom_core.sdk.provider import Model; "
        "return [Model('there', 'x'), Model('had', 'x', installed=False)]"
    )

    async def test_what_is_not_installed_is_offered_and_it_stays_unavailable(self, site, make_host):
        host, offered = await self.offers(site, make_host, self.TWO)
        assert offered == ["had"]
        (record,) = host.records()[0].providers
        assert (record.status, record.reason.code) == (ProviderStatus.UNAVAILABLE, "engine_missing")
        acme = sys.modules["venom_acme.provider"].Acme
        assert (acme.opened, acme.closed) == (1, 1)
        with pytest.raises(Unavailable):
            await host.provider("acme")

    async def test_a_provider_that_needs_its_engine_to_list_is_not_made(self, site, make_host):
        assert (await self.offers(site, make_host, self.TWO, needed=True))[1] == []
        assert "venom_acme.provider" not in sys.modules

    @pytest.mark.parametrize("body", ["raise ValueError", "raise SystemExit", "return 42"])
    async def test_a_fault_offers_nothing(self, site, make_host, body):
        assert (await self.offers(site, make_host, body))[1] == []


class TestHealth:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ("raise ValueError('secret text')", "health_failed"),
            ("raise SystemExit", "health_failed"),
            ("return 42", "health_failed"),
            ("await asyncio.sleep(60)", "health_timeout"),
        ],
    )
    async def test_faults(self, site, make_host, monkeypatch, body, code):
        monkeypatch.setitem(guarded.SECONDS, "health", patience(0.3))
        install_plugin(site, "acme", provider=with_body(method=HEALTH, body=body))
        host = make_host()
        host.scan()
        health = await host.health("acme")
        assert health.reason.code == code
        assert "secret text" not in str(health)
        assert host.records()[0].providers[0].reason.code == code

    async def test_what_it_says_shows_in_the_record_and_it_stays_usable(self, site, make_host):
        body = (
            "from venom_core.sdk import Reason; "
            "return Health(ProviderStatus.UNAVAILABLE, Reason('acme_down', 'Down.', 'Start it.'))"
        )
        install_plugin(site, "acme", provider=with_body(method=HEALTH, body=body))
        host = make_host()
        host.scan()
        provider = await host.provider("acme")
        await host.refresh()
        record = host.records()[0].providers[0]
        assert (record.status, record.reason.code) == (ProviderStatus.UNAVAILABLE, "acme_down")
        assert await host.provider("acme") is provider


async def test_close_is_bounded_and_closes_the_others(site, make_host, monkeypatch):
    monkeypatch.setitem(guarded.SECONDS, "close", patience(0.3))
    body = "await asyncio.sleep(60)"
    install_plugin(site, "acme", provider=with_body(method="async def close(self):", body=body))
    install_plugin(site, "good")
    host = make_host()
    host.scan()
    await host.provider("acme")
    good = await host.provider("good")
    async with asyncio.timeout(patience(10)):
        await host.close()
    assert type(good.inner).closed == 1


def test_every_capability_is_named_after_its_method():
    assert not [name for name in Capability if not callable(getattr(Provider, name, None))]
