"""The provider that a bare name stands for: by declaration, ours first, no tie decided."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from venom_core._version import __version__
from venom_core.plugins.discovery import Found, Scan
from venom_core.plugins.host import PluginHost
from venom_core.plugins.validation import BadSpec, providers_of
from venom_core.sdk.hookspecs import hookimpl
from venom_core.sdk.spec import Proposal, ProviderSpec
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths


def spec(name: str, **more: Any) -> ProviderSpec:
    return ProviderSpec(name, name.title(), "A provider.", "m:C", frozenset(), **more)


async def preference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *plugins: tuple[str, int, bool]
) -> tuple[str, ...]:
    """The order among plugins of one provider each: name, preference, whether it is ours."""
    found = []
    for name, rank, ours in plugins:
        module = ModuleType(f"planted_{name}")
        declared = [spec(name, preference=rank)]
        module.venom_providers = hookimpl(  # type: ignore[attr-defined]
            specname="venom_providers"
        )(lambda declared=declared: declared)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        distribution, origin = (f"venom-{name}", "first_party") if ours else (name, "third_party")
        found.append(Found(name, module.__name__, "v1", distribution, __version__, origin))  # type: ignore[arg-type]
    paths = Paths.at(tmp_path)
    host = PluginHost(Settings.load(paths, {}), paths, lambda: Scan(__version__, tuple(found)))
    host.scan()
    await host.load_all()
    return host.preference()


async def test_the_highest_of_ours_comes_first_then_third_parties(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = ("theirs", 100, False), ("onnx", 20, True), ("vllm", 60, True), ("none", 0, False)
    assert await preference(tmp_path, monkeypatch, *planted) == ("vllm", "onnx", "theirs")


async def test_among_equals_nobody_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = ("a", 10, False), ("b", 10, False), ("c", 5, False)
    assert await preference(tmp_path, monkeypatch, *planted) == ("c",)


@pytest.mark.parametrize(
    "wrong",
    [
        {"preference": -1}, {"preference": 101}, {"preference": True}, {"preference": "high"},
        {"needs": "two\nlines"}, {"default_model": ""}, {"proposals": ["x"]},
        {"proposals": ("x",)}, {"proposals": (Proposal("m", "M", 0, "Good."),)},
        {"proposals": (Proposal("m", "M\n", 5, "Good."),)},
        {"proposals": (Proposal("m", "M", 5, "Good.", "javascript:alert(1)"),)},
    ],
)  # fmt: skip
def test_what_a_spec_says_of_itself_is_checked(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadSpec):
        providers_of([spec("x", **wrong)], "x", "x")
    assert providers_of([spec("x", preference=100)], "x", "x")
