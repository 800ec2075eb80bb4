"""`venom services`, without a server: what would run, what cannot be done, what happened."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests import engines_plugin
from tests.engines_plugin import PLAYED
from tests.unit.cli.conftest import Cli
from venom_core.cli.exit_codes import ExitCode
from venom_core.plugins.discovery import Found
from venom_core.sdk.provider import EngineStatus
from venom_core.settings.paths import Paths


@pytest.fixture(autouse=True)
def _engines(installed: list[Found]) -> Iterator[None]:
    engines_plugin.reset()
    PLAYED.lives = True
    installed.append(engines_plugin.ENTRY)
    yield
    engines_plugin.reset()


def test_without_a_server_venom_itself_does_not_run(cli: Cli, paths: Paths) -> None:
    for words in (("services",), ("services", "list")):
        listed = cli(*words)
        assert listed.code == 0 and "No server runs here. Start one: venom serve" in listed.out
        rows = {line.split()[0]: line for line in listed.out.splitlines() if line}
        assert "not running" in rows["backend"] and "not running" in rows["played"]
        assert "running" in rows["scripted"]
    told = json.loads(cli("services", "--json").out)
    core = next(one for one in told["services"] if one["name"] == "backend")
    assert (core["status"], core["pid"]) == ("stopped", None)
    assert not paths.store_file.exists(), "looking makes no store"


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("start", "nope"), "service_not_found", ExitCode.NOT_FOUND),
        (("start", "scripted"), "action_not_supported", ExitCode.USAGE),
        (("stop", "backend"), "action_not_supported", ExitCode.USAGE),
        (("start", "played"), "server_needed", ExitCode.UNAVAILABLE),
        (("restart", "played"), "server_needed", ExitCode.UNAVAILABLE),
    ],
)
def test_what_cannot_be_done_is_said(
    cli: Cli, words: tuple[str, ...], code: str, exit_code: ExitCode
) -> None:
    refused = cli("services", *words)
    assert code in refused.err and refused.code == exit_code, refused.err
    assert PLAYED.calls == []


def test_what_happened_is_kept(cli: Cli) -> None:
    assert "Nothing has happened to a service yet." in cli("services", "history").out
    assert cli("services", "stop", "played").out.strip() == "played did not run."
    PLAYED.engines = [EngineStatus("acme (org/m)", "running", "org/m")]
    assert cli("services", "stop", "played").out.strip() == "played was stopped."
    shown = cli("services", "history").out
    assert "played was stopped." in shown and "WHEN" in shown
    told = json.loads(cli("services", "history", "--json", "--limit", "1").out)
    assert told["count"] == 1 and told["history"][0]["action"] == "stop"
    assert cli("services", "history", "--limit", "0").code == ExitCode.USAGE
