"""Manifests that do what they should not, as real distributions on disk."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.unit.plugins.distributions import GOOD, HOOK, install, install_plugin
from venom_core.plugins.host import PluginHost
from venom_core.sdk.errors import Unavailable
from venom_core.sdk.states import PluginState
from venom_core.testing.deadlines import patience

SPEC = (
    HOOK
    + """
def spec(**changes):
    given = dict(name="bad", title="Bad", summary="A bad one.", factory="venom_bad.provider:Acme",
                 capabilities=frozenset({{Capability.CHAT}}))
    return ProviderSpec(**(given | changes))

@hookimpl
def venom_providers():
    return {returned}
"""
)


def spec_that(changes: str) -> str:
    return SPEC.format(returned=f"[spec({changes})]")


#: what the manifest does -> (source, reason code)
FAULTS = {
    "raises": ("raise ValueError('secret text')", "import_failed"),
    "needs a module": ("import module_that_nobody_has", "import_failed"),
    "is no Python": ("def (", "import_failed"),
    "recurses": ("def f(): return f()\nf()", "import_failed"),
    "raises from BaseException": (
        "class Odd(BaseException): pass\nraise Odd",
        "import_failed",
    ),
    "raises TimeoutError": ("raise TimeoutError", "import_failed"),
    "raises StopIteration": ("raise StopIteration", "import_failed"),
    "exits": ("import sys; sys.exit(3)", "manifest_exited"),
    "exits with Ctrl-C": ("raise KeyboardInterrupt", "manifest_exited"),
    "sleeps": ("import time; time.sleep(30)", "import_timeout"),
    "has no hooks": ("x = 1", "bad_manifest"),
    "misspells a hook": (HOOK + "@hookimpl\ndef venom_provider(): return []", "bad_manifest"),
    "wants another argument": (
        HOOK + "@hookimpl\ndef venom_observe(happening): pass",
        "bad_manifest",
    ),
    "has an async hook": (
        HOOK + "@hookimpl\nasync def venom_observe(event): pass",
        "bad_manifest",
    ),
    "wraps the hook of others": (
        HOOK + "@hookimpl(wrapper=True)\ndef venom_observe(event):\n    yield",
        "bad_manifest",
    ),
    "raises in the hook": (
        HOOK + "@hookimpl\ndef venom_providers(): raise KeyError('x')",
        "import_failed",
    ),
    "exits in the hook": (
        HOOK + "@hookimpl\ndef venom_providers(): raise SystemExit",
        "manifest_exited",
    ),
    "raises half-way": (
        HOOK + "@hookimpl\ndef venom_providers():\n    yield 1/0",
        "import_failed",
    ),
    "never ends to yield": (
        SPEC.format(returned="(spec(name=f'bad-{n}') for n in __import__('itertools').count())"),
        "bad_spec",
    ),
    "returns nothing": (SPEC.format(returned="None"), "bad_spec"),
    "returns a number": (SPEC.format(returned="42"), "bad_spec"),
    "returns text": (SPEC.format(returned="'bad'"), "bad_spec"),
    "returns a list of text": (SPEC.format(returned="['bad']"), "bad_spec"),
    "declares a name twice": (SPEC.format(returned="[spec(), spec()]"), "bad_spec"),
    "takes another name": (spec_that("name='good'"), "bad_spec"),
    "takes a name that only begins alike": (spec_that("name='badger'"), "bad_spec"),
    "takes our name": (spec_that("aliases=('ollama',)"), "bad_spec"),
    "takes a name with a slash": (spec_that("name='bad-/../x'"), "bad_spec"),
    "has a number for a name": (spec_that("name=3"), "bad_spec"),
    "has no title": (spec_that("title=''"), "bad_spec"),
    "has a title with escape codes": (spec_that("title='\\x1b[31mred'"), "bad_spec"),
    "has a class for a factory": (spec_that("factory=int"), "bad_spec"),
    "has a factory without a class": (spec_that("factory='venom_bad.provider'"), "bad_spec"),
    "invents a capability": (spec_that("capabilities=frozenset({'fly'})"), "bad_spec"),
    "has a list of capabilities": (spec_that("capabilities=['chat']"), "bad_spec"),
    "has text for parameters": (spec_that("parameters='temperature'"), "bad_spec"),
    "has an odd setting": (spec_that("settings=({'name': 'x'},)"), "bad_spec"),
    "has a setting of an odd type": (
        spec_that("settings=(Setting('x', 'bytes', None, ''),)"),
        "bad_spec",
    ),
    "has a default out of bounds": (
        spec_that("settings=(Setting('x', 'int', 9, '', maximum=3),)"),
        "bad_spec",
    ),
    "has a default of another type": (
        spec_that("settings=(Setting('x', 'int', '9', ''),)"),
        "bad_spec",
    ),
    "has an odd engine": (spec_that("engine='torch'"), "bad_spec"),
    "has a script for a homepage": (spec_that("homepage='javascript:alert(1)'"), "bad_spec"),
}


class TestFaultyManifests:
    @pytest.mark.parametrize("fault", FAULTS)
    async def test_others_load_and_the_record_says_why(self, site, make_host, fault, capsys):
        source, code = FAULTS[fault]
        # a thread that hangs keeps the import lock of its module: no other test may want it
        package = "venom_sleepy" if code == "import_timeout" else None
        install_plugin(site, "bad", source, package=package)
        install_plugin(site, "good")
        host: PluginHost = make_host(
            plugin_load_timeout=patience(0.5 if code == "import_timeout" else 10)
        )
        host.scan()
        await host.load_all()
        bad, good = host.records()
        assert (good.id, good.state) == ("good", PluginState.LOADED)
        assert (bad.id, bad.state) == ("bad", PluginState.FAILED)
        assert bad.reason is not None
        assert bad.reason.code == code
        assert bad.reason.message
        assert bad.reason.fix
        assert "secret text" not in str(bad.record())
        assert str(site) not in str(bad.record())
        assert await host.provider("good")
        with pytest.raises(Unavailable) as caught:
            await host.provider("bad")
        assert caught.value.code == code
        await host.close()

    async def test_message_says_where_without_a_path(self, site, make_host):
        install_plugin(site, "bad", "x = 1\ny = x / 0\n")
        host = make_host()
        host.scan()
        await host.load_all()
        message = host.records()[0].reason.message
        assert "ZeroDivisionError in venom_bad.plugin, line 2" in message

    async def test_module_that_is_not_there(self, site, make_host):
        install(site, "venom-bad", entries={"bad": "venom_bad.nowhere"})
        host = make_host()
        host.scan()
        await host.load_all()
        assert host.records()[0].reason.code == "import_failed"

    @pytest.mark.parametrize(
        ("name", "value"), [("bad", "no-module!"), ("Not A Name", "m"), ("bad", "os:system:x")]
    )
    async def test_entry_point_that_is_none(self, site, make_host, name, value):
        install(site, "venom-bad", entries={name: value})
        host = make_host()
        host.scan()
        await host.load_all()
        assert host.records()[0].reason.code == "bad_manifest"

    async def test_prints_go_to_the_log(self, site, make_host, capsys, caplog):
        noisy = "import sys\nprint('HELLO')\nsys.stderr.write('OOPS')\n"
        install_plugin(
            site, "bad", noisy + GOOD.format(name="bad", package="venom_bad", aliases=())
        )
        host = make_host()
        host.scan()
        with caplog.at_level("INFO"):
            await host.load_all()
        print("ours")
        captured = capsys.readouterr()
        assert captured.out == "ours\n"
        assert "OOPS" not in captured.err
        assert "HELLO" in caplog.text
        assert host.records()[0].state is PluginState.LOADED

    async def test_prints_of_others_pass_while_a_plugin_hangs(self, site, make_host, capsys):
        install_plugin(
            site,
            "bad",
            "import time\nprint('HELLO')\ntime.sleep(3)\nprint('LATE')",
            package="venom_hangs_one",
        )
        host = make_host(plugin_load_timeout=0.3)
        host.scan()
        await host.load_all()
        print("ours")
        assert capsys.readouterr().out == "ours\n"

    async def test_hanging_plugin_delays_no_first_party_provider(self, site, make_host):
        install_plugin(site, "bad", "import time; time.sleep(30)", package="venom_hangs_two")
        install_plugin(site, "ollama", version="2026.11.0")
        host = make_host(plugin_load_timeout=patience(20))
        host.scan()
        loading = asyncio.create_task(host.load_all())
        async with asyncio.timeout(patience(15)):
            assert await host.provider("ollama")
        assert not loading.done()
        loading.cancel()
        await asyncio.gather(loading, return_exceptions=True)

    async def test_hanging_is_no_crash_even_if_the_process_is_killed_later(
        self, site, make_host, tmp_path
    ):
        install_plugin(site, "bad", "import time; time.sleep(10)", package="venom_hangs_four")
        host = make_host(plugin_load_timeout=0.2)
        host.scan()
        await host.load_all()
        assert list((tmp_path / "home" / "run").iterdir()) == []

    async def test_every_thread_left_behind_is_a_daemon(self, site, make_host):
        install_plugin(site, "bad", "import time; time.sleep(10)", package="venom_hangs_three")
        host = make_host(plugin_load_timeout=0.2)
        host.scan()
        await host.load_all()
        left = [thread for thread in threading.enumerate() if thread.name == "load bad"]
        assert left
        assert all(thread.daemon for thread in left)
