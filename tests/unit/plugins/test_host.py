"""The host over real distributions on disk, good ones and faulty ones."""

from __future__ import annotations

import sys

import pytest

from tests.unit.plugins.distributions import GOOD, HOOK, install_plugin, scan_of
from venom_core.plugins import loader, providers
from venom_core.plugins.host import PluginHost
from venom_core.plugins.reasons import REASONS
from venom_core.sdk.errors import Conflict, EngineMissing, NotFound, StorageError, Unavailable
from venom_core.sdk.hookspecs import ObservedEvent, hookimpl
from venom_core.sdk.states import PluginState, ProviderStatus
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import patience


class TestRecords:
    async def test_the_shape(self, site, make_host):
        source = GOOD.format(name="onnx", package="stand_in_onnx", aliases=()).replace(
            "aliases=()", "engine=EngineRequirement('onnxruntime_nowhere.capi', 'onnx')"
        )
        source = source.replace("import Capability", "import EngineRequirement, Capability")
        # The real package may be imported already, by whatever ran before in this process.
        install_plugin(site, "onnx", source, package="stand_in_onnx", version="2026.11.0")
        host = make_host()
        host.scan()
        await host.load_all()
        record = host.records()[0].record()
        assert record.pop("load_ms") > 0
        assert record == {
            "id": "onnx",
            "state": "loaded",
            "recoverable": False,
            "reason": None,
            "distribution": "venom-onnx",
            "version": "2026.11.0",
            "api": "v1",
            "origin": "first_party",
            "providers": [
                {
                    "name": "onnx",
                    "title": "Acme",
                    "summary": "A provider for tests.",
                    "homepage": None,
                    "status": "unavailable",
                    "capabilities": ["chat"],
                    "reason": {
                        "code": "engine_missing",
                        "message": "onnxruntime_nowhere is not installed.",
                        "fix": "venom plugins install onnx",
                        "docs": "/docs/plugins/states#engine_missing",
                    },
                    "breaches": [],
                    "engine_version": None,
                }
            ],
        }
        with pytest.raises(EngineMissing):
            await host.provider("onnx")

    async def test_every_installed_plugin_is_listed(self, site, make_host):
        install_plugin(site, "acme", distribution="acme-one")
        install_plugin(site, "acme", distribution="acme-two")
        install_plugin(site, "future", group="venom.providers.v2")
        install_plugin(site, "good")
        install_plugin(site, "hf", version="2020.1.0")
        install_plugin(site, "needy", requires=("venom>=2099",))
        install_plugin(site, "off")
        install_plugin(site, "onnx", distribution="onnx-for-all")
        host = make_host({"VENOM_PLUGINS_DISABLED": "off"})
        host.scan()
        assert not [name for name in sys.modules if name.startswith(("venom_acme", "venom_good"))]
        found = [(r.id, r.state.label, r.reason.code if r.reason else "") for r in host.records()]
        assert found == [
            ("acme", "disabled", "name_conflict"),
            ("acme", "disabled", "name_conflict"),
            ("future", "incompatible", "api_mismatch"),
            ("good", "discovered", ""),
            ("hf", "incompatible", "lockstep_mismatch"),
            ("needy", "incompatible", "core_mismatch"),
            ("off", "disabled", "blocked"),
            ("onnx", "incompatible", "name_reserved"),
        ]
        await host.load_all()
        assert [r.id for r in host.records() if r.state is PluginState.LOADED] == ["good"]
        assert "venom_off.plugin" not in sys.modules
        for record in host.records():
            if record.reason:
                assert record.reason.code in REASONS
                assert "pip install" not in (record.reason.fix or "")

    async def test_allow_list(self, site, make_host):
        install_plugin(site, "acme")
        install_plugin(site, "good")
        host = make_host({"VENOM_PLUGINS": "good"})
        host.scan()
        await host.load_all()
        assert [r.state.label for r in host.records()] == ["disabled", "loaded"]
        assert "venom_acme.plugin" not in sys.modules


class TestNames:
    async def test_provider_loads_its_plugin_and_no_other(self, site, make_host):
        install_plugin(site, "acme")
        install_plugin(site, "good")
        host = make_host()
        host.scan()
        assert await host.provider("good")
        assert [r.state.label for r in host.records()] == ["discovered", "loaded"]

    async def test_alias(self, site, make_host):
        install_plugin(site, "acme", aliases=("zenith",))
        host = make_host()
        host.scan()
        assert host.resolve_name("zenith") is None
        provider = await host.provider("zenith")
        assert provider is await host.provider("acme")
        assert host.resolve_name("zenith") == "acme"
        assert host.resolve_name("nobody") is None

    async def test_alias_that_two_claim_stands_for_nothing(self, site, make_host):
        install_plugin(site, "acme", aliases=("zenith",))
        install_plugin(site, "good", aliases=("zenith", "acme"))
        host = make_host()
        host.scan()
        await host.load_all()
        assert host.resolve_name("zenith") is None
        assert host.resolve_name("acme") == "acme"

    async def test_unknown_name(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        with pytest.raises(NotFound) as caught:
            await host.provider("nobody\x1b[0m")
        assert caught.value.code == "provider_not_found"
        assert "acme" in caught.value.message
        assert "\x1b" not in caught.value.message

    async def test_ours_that_is_not_installed(self, make_host):
        host = make_host()
        host.scan()
        with pytest.raises(NotFound) as caught:
            await host.provider("huggingface")
        assert caught.value.fix == "venom plugins install hf"

    async def test_two_plugins_with_one_provider_name(self, site, make_host):
        source = GOOD.format(name="acme-lab", package="venom_acme", aliases=())
        install_plugin(site, "acme", source)
        install_plugin(site, "acme-lab")
        host = make_host()
        host.scan()
        await host.load_all()
        assert host.specs() == {}
        for record in host.records():
            assert record.state is PluginState.LOADED
            assert record.providers[0].status is ProviderStatus.DISABLED
            assert record.providers[0].reason.code == "name_conflict"
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme-lab")
        assert caught.value.code == "name_conflict"
        await host.disable("venom-acme")
        assert await host.provider("acme-lab")


class TestSwitching:
    async def test_disable_closes_and_is_kept(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        provider = await host.provider("acme")
        record = await host.disable("acme")
        assert (record.state, record.reason.code) == (PluginState.DISABLED, "disabled_by_user")
        assert type(provider.inner).closed == 1
        with pytest.raises(Unavailable):
            await host.provider("acme")
        again = make_host()
        again.scan()
        assert again.records()[0].reason.code == "disabled_by_user"
        assert (await again.enable("acme")).state is PluginState.LOADED
        assert make_host()._settings.core.plugins_disabled == ()

    async def test_names_are_gathered_at_a_change_and_not_at_a_request(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        await host.load_all()
        before = host.specs()
        assert before is host.specs()
        assert host.preference() is host.preference()
        await host.disable("acme")
        assert (host.specs(), host.resolve_name("acme")) == ({}, None)
        await host.enable("acme")
        assert host.specs().keys() == before.keys() == {"acme"}

    async def test_conflict_is_solved_by_disabling_one(self, site, make_host):
        install_plugin(site, "acme", distribution="acme-one")
        install_plugin(site, "acme", distribution="acme-two")
        host = make_host()
        host.scan()
        with pytest.raises(Conflict) as caught:
            await host.disable("acme")
        assert caught.value.code == "ambiguous_plugin"
        await host.disable("acme-two")
        states = [(r.distribution, r.state.label) for r in host.records()]
        assert states == [("acme-one", "loaded"), ("acme-two", "disabled")]
        assert host.specs().keys() == {"acme"}
        record = await host.enable("acme-two")
        assert record.reason.code == "name_conflict", "the one that is used stays"
        assert host.specs().keys() == {"acme"}

    async def test_environment_is_not_overruled(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host({"VENOM_PLUGINS_DISABLED": "acme"})
        host.scan()
        with pytest.raises(Conflict) as caught:
            await host.enable("acme")
        assert caught.value.code == "blocked"
        with pytest.raises(Conflict):
            await host.retry("acme")

    async def test_unknown_plugin(self, make_host):
        host = make_host()
        host.scan()
        for act in (host.enable, host.disable, host.retry):
            with pytest.raises(NotFound) as caught:
                await act("nobody")
            assert caught.value.code == "plugin_not_found"

    async def test_retry_after_the_cause_is_gone(self, site, make_host):
        install_plugin(
            site,
            "acme",
            "import acme_dependency\n" + GOOD.format(name="acme", package="venom_acme", aliases=()),
        )
        host = make_host()
        host.scan()
        await host.load_all()
        assert host.records()[0].state is PluginState.FAILED
        host.scan()
        assert host.records()[0].state is PluginState.FAILED, "a scan alone tries nothing again"
        (site / "acme_dependency.py").write_text("")
        assert (await host.retry("acme")).state is PluginState.LOADED

    async def test_rescan_finds_what_was_installed_since(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        provider = await host.provider("acme")
        install_plugin(site, "good")
        await host.rescan()
        assert [(r.id, r.state.label) for r in host.records()] == [
            ("acme", "loaded"),
            ("good", "discovered"),
        ]
        assert await host.provider("good")
        assert await host.provider("acme") is provider

    async def test_choice_that_cannot_be_kept_changes_nothing(self, site, tmp_path):
        install_plugin(site, "acme")
        blocker = tmp_path / "file"
        blocker.write_text("")
        paths = Paths.at(blocker / "home")
        host = PluginHost(Settings.load(paths), paths, lambda: scan_of(site))
        host.scan()
        await host.load_all()
        assert host.records()[0].state is PluginState.LOADED, "a read-only home stops no plugin"
        with pytest.raises(StorageError):
            await host.disable("acme")
        assert host.records()[0].state is PluginState.LOADED

    async def test_profile(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        provider = await host.provider("acme")
        host.apply_profile("llm_off", {"acme"})
        record = host.records()[0].providers[0]
        assert (record.status, record.reason.code) == (ProviderStatus.DISABLED, "profile")
        assert (host.is_open("acme"), type(provider.inner).closed) == (True, 0), "answers go on"
        assert await host.drain("acme", 0)
        await host.shut("acme")
        assert (host.is_open("acme"), type(provider.inner).closed) == (False, 1)
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.code == "profile"
        host.apply_profile("full", ())
        assert await host.provider("acme") is not provider

    async def test_closed_host_opens_nothing(self, site, make_host):
        install_plugin(site, "acme")
        host = make_host()
        host.scan()
        provider = await host.provider("acme")
        await host.close()
        assert type(provider.inner).closed == 1
        with pytest.raises(Unavailable) as caught:
            await host.provider("acme")
        assert caught.value.code == "closed"


class TestObserving:
    async def test_one_that_raises_stops_nobody(self, site, make_host, caplog):
        for name, body in {"exits": "raise SystemExit", "raises": "raise ValueError"}.items():
            install_plugin(site, name, HOOK + f"@hookimpl\ndef venom_observe(event): {body}\n")
        install_plugin(
            site,
            "fine",
            HOOK + "seen = []\n@hookimpl\ndef venom_observe(event):\n    seen.append(event)\n",
        )
        host = make_host()
        host.scan()
        await host.load_all()
        ours: list[ObservedEvent] = []

        class Meter:
            @hookimpl
            def venom_observe(self, event: ObservedEvent) -> None:
                ours.append(event)

        host.add_observer("meter", Meter())
        event = ObservedEvent("chat.finished", {"n": 1})
        host.observe(event)
        assert ours == [event]
        assert event in sys.modules["venom_fine.plugin"].seen
        assert "observer raises" in caplog.text

    async def test_states_are_told(self, site, make_host):
        install_plugin(site, "acme")
        install_plugin(site, "bad", "1/0")
        host = make_host()
        seen: list[tuple[object, ...]] = []

        class Watcher:
            @hookimpl
            def venom_observe(self, event: ObservedEvent) -> None:
                seen.append((event.name, *event.data.values()))

        host.add_observer("watcher", Watcher())
        host.scan()
        await host.provider("acme")
        await host.load_all()
        assert ("plugin.state", "acme", "loaded", None) in seen
        assert ("plugin.state", "bad", "failed", "import_failed") in seen
        assert ("provider.state", "acme", "opening", None, None) in seen
        assert ("provider.state", "acme", "ready", None, None) in seen


class TestDoctor:
    async def test_each_check_is_isolated(self, site, make_host, monkeypatch):
        monkeypatch.setattr("venom_core.plugins.doctor.CHECK_TIMEOUT", patience(0.2))
        install_plugin(
            site,
            "acme",
            """
            import asyncio
            from venom_core.sdk import DoctorCheck, DoctorFinding, hookimpl

            async def fine(): return DoctorFinding(True, "Fine", "All well.")
            async def hangs(): await asyncio.sleep(30)
            async def raises(): raise ValueError("secret text")
            async def exits(): raise SystemExit
            async def garbage(): return 42
            def plain(): return DoctorFinding(True, "Plain", "Not even async.")

            @hookimpl
            def venom_doctor_checks():
                for run in (fine, hangs, raises, exits, garbage, plain):
                    yield DoctorCheck(run.__name__, run)
            """,
        )
        install_plugin(site, "bad", HOOK + "@hookimpl\ndef venom_doctor_checks(): return [1]\n")
        host = make_host()
        host.scan()
        reports = await host.doctor()
        found = {(r.plugin, r.check): r.finding.ok for r in reports}
        assert found == {
            ("acme", "fine"): True,
            ("acme", "hangs"): False,
            ("acme", "raises"): False,
            ("acme", "exits"): False,
            ("acme", "garbage"): False,
            ("acme", "plain"): True,
            ("bad", "checks"): False,
        }
        assert all(r.finding.fix for r in reports if not r.finding.ok)
        assert "secret text" not in str(reports)


def test_reasons_are_words():
    assert all(code.isidentifier() and meaning.endswith(".") for code, meaning in REASONS.items())
    assert loader.reason is providers.reason
    with pytest.raises(KeyError):
        loader.reason("invented", "x")
