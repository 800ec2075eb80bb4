"""Offers of what is not installed: told with the command for it, and nothing is done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.stage import stage
from venom_core.installing.offers import descriptions
from venom_core.language.polish import polish
from venom_core.plugins.names import RESERVED_NAMES
from venom_core.sdk.spec import EngineEnvironment
from venom_core.testing import scripted, staging

__all__ = ["stage"]


async def offers(home: Path) -> dict[str, list[dict[str, object]]]:
    installed = staging.entry("venom_ollama.plugin")
    async with staging.stage(staging.SCRIPTED, installed, home=home) as running:
        told: dict[str, list[dict[str, object]]]
        told = (await running.client.get("/api/v1/plugins/available")).json()
        return told


async def test_what_is_not_installed_is_offered_with_its_command(tmp_path: Path) -> None:
    told = await offers(tmp_path)
    found = {str(one["id"]): one for one in told["plugins"]}
    assert "ollama" not in found and "llamacpp" in found
    assert found["llamacpp"]["command"] == "venom plugins install llamacpp"
    (environment,) = told["environments"]
    assert environment["command"] == "venom engines install scripted-tools"
    assert (environment["state"], environment["provider"]) == ("missing", "scripted")
    assert environment["reason"] is None and str(tmp_path) not in json.dumps(told)


async def test_what_is_of_no_use_on_this_machine_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other: EngineEnvironment = replace(scripted.ENVIRONMENT, platforms=("plan9-mips",))
    monkeypatch.setattr(scripted, "ENVIRONMENT", other)
    (environment,) = (await offers(tmp_path))["environments"]
    reason = environment["reason"]
    assert isinstance(reason, dict) and reason["code"] == "environment_not_available"


def test_every_plugin_of_the_release_says_what_it_is_in_both_languages() -> None:
    found = descriptions()
    assert set(found) <= set(RESERVED_NAMES) and len(found) > 5
    for name, (_, summary) in found.items():
        assert polish(summary) != summary, name
