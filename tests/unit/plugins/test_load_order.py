"""Third parties load one after another, so that a crash has one suspect; ours side by side."""

from __future__ import annotations

import sys
import threading
from types import ModuleType
from typing import Any

import pytest

from tests.unit.plugins.distributions import GOOD, install_plugin
from venom_core.sdk.states import PluginState
from venom_core.testing.deadlines import patience

#: Each manifest goes through the gate of the test while it is imported.
THROUGH = "import load_order_gate\nload_order_gate.enter(__name__)\n"


class Gate(ModuleType):
    """Notes who is in it at one time; ``together`` of them wait for each other first."""

    def __init__(self, together: int = 1) -> None:
        super().__init__("load_order_gate")
        self.most = 0
        self.seen: list[str] = []
        self._in = 0
        self._lock = threading.Lock()
        self._meet = threading.Barrier(together)
        self._stay = threading.Event()

    def enter(self, name: str) -> None:
        with self._lock:
            self._in += 1
            self.most = max(self.most, self._in)
            self.seen.append(name)
        try:
            if self._meet.parties > 1:
                self._meet.wait(patience(20))
            self._stay.wait(0.1)  # long enough for another one to come in
        finally:
            with self._lock:
                self._in -= 1


def put(site: Any, name: str, version: str = "1.0") -> None:
    # The real package may be imported already, by whatever ran before in this process.
    package = f"stand_in_{name}"
    manifest = THROUGH + GOOD.format(name=name, package=package, aliases=())
    install_plugin(site, name, manifest, package=package, version=version)


async def test_third_parties_load_one_after_another(
    site: Any, make_host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setitem(sys.modules, gate.__name__, gate)
    for name in ("acme", "beta", "gamma"):
        put(site, name)
    host = make_host(plugin_load_timeout=patience(30))
    host.scan()
    await host.load_all()
    assert [record.state for record in host.records()] == [PluginState.LOADED] * 3
    assert (sorted(gate.seen), gate.most) == (
        ["stand_in_acme.plugin", "stand_in_beta.plugin", "stand_in_gamma.plugin"], 1,
    )  # fmt: skip


async def test_ours_load_side_by_side(
    site: Any, make_host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(together=2)  # each waits for the other: one after another neither would load
    monkeypatch.setitem(sys.modules, gate.__name__, gate)
    for name in ("onnx", "vllm"):
        put(site, name, version="2026.11.0")
    host = make_host(plugin_load_timeout=patience(30))
    host.scan()
    await host.load_all()
    assert [record.state for record in host.records()] == [PluginState.LOADED] * 2
    assert gate.most == 2
