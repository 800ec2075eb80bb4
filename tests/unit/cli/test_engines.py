"""`venom engines` and its environments, with pip played."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.made_environments import PlayedPip
from tests.unit.cli.conftest import Cli
from venom_core.cli.exit_codes import ExitCode
from venom_core.installing import environments as module
from venom_core.sdk.environments import Environment
from venom_core.sdk.pip import InstallFailed
from venom_core.settings.paths import Paths
from venom_core.testing.scripted import ENVIRONMENT

NAME = ENVIRONMENT.name


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> PlayedPip:
    played = PlayedPip()
    monkeypatch.setattr(module, "Pip", played)
    return played


@pytest.fixture
def environment(paths: Paths) -> Environment:
    return Environment(ENVIRONMENT, paths.providers_dir / "scripted")


def test_a_life(cli: Cli, pip: PlayedPip) -> None:
    for listing in (cli("engines"), cli("engines", "list")):
        assert listing.code == 0 and NAME in listing.out and "missing" in listing.out
        assert "2 MB" in listing.out and "3 MB" in listing.out
    result = cli("engines", "install", NAME, "--yes")
    assert result.code == 0, result.err
    assert "is installed" in result.out
    (record,) = json.loads(cli("engines", "--json").out)["environments"]
    assert (record["state"], record["installed"]) == ("ready", ["acme-engine==1.0"])
    pip.calls.clear()
    again = cli("engines", "install", NAME)
    assert again.code == 0 and "it works" in again.out and pip.calls == []
    removed = json.loads(cli("engines", "remove", NAME, "--yes", "--json").out)
    assert removed["success"] and removed["freed_bytes"] >= record["size_bytes"]
    assert "nothing to remove" in cli("engines", "remove", NAME).out


def test_the_size_is_said_first_and_nothing_is_fetched_unasked(cli: Cli, pip: PlayedPip) -> None:
    result = cli("engines", "install", NAME)
    assert result.code == ExitCode.USAGE and "--yes" in result.err
    assert "about 2 MB to fetch, and 3 MB on the disk" in result.err
    assert pip.calls == []


def test_nothing_is_removed_unasked(cli: Cli, pip: PlayedPip, environment: Environment) -> None:
    cli("engines", "install", NAME, "--yes")
    result = cli("engines", "remove", NAME)
    assert result.code == ExitCode.USAGE and "goes: " in result.err
    assert environment.state() == "ready"


def test_a_program_gets_one_document(cli: Cli, pip: PlayedPip) -> None:
    record = json.loads(cli("engines", "install", NAME, "--yes", "--json").out)
    assert (record["success"], record["name"], record["state"]) == (True, NAME, "ready")


def test_cpu_is_the_name_of_another_environment(cli: Cli, pip: PlayedPip) -> None:
    for name in ("scripted-tools", "scripted-tools-cpu"):
        result = cli("engines", "install", name, "--cpu", "--yes")
        assert result.code != 0 and "scripted-tools-cpu" in result.err, result.err
    assert pip.calls == []


def test_what_is_damaged_is_mended(cli: Cli, pip: PlayedPip, environment: Environment) -> None:
    cli("engines", "install", NAME, "--yes")
    for file in environment.folder.glob("lib/python*/site-packages/acme_engine.py"):
        file.unlink()
    result = cli("engines", "install", NAME)
    assert result.code == 0 and "damaged" in result.err and "is installed" in result.out
    environment.record_file.unlink()
    listing = cli("engines")
    assert "unfinished" in listing.out and f"venom engines install {NAME}" in listing.out


def test_pips_last_words_are_shown(cli: Cli, pip: PlayedPip) -> None:
    pip.fails_at = "fetch"
    pip.failure = InstallFailed("pip failed.", fix="Look.", code="install_failed", output="WHY")
    result = cli("engines", "install", NAME, "--yes")
    assert result.code == ExitCode.UNAVAILABLE
    assert "WHY" in result.err and "install_failed" in result.err


def test_an_unknown_name_is_told_with_those_that_there_are(cli: Cli) -> None:
    for verb in ("install", "remove"):
        result = cli("engines", verb, "nope", "--yes")
        assert result.code == ExitCode.NOT_FOUND and NAME in result.err


def test_ctrl_c_stops_it_and_says_what_is_kept(
    cli: Cli, pip: PlayedPip, environment: Environment,
    interrupt_once: Callable[[Callable[[], object]], None],
) -> None:  # fmt: skip
    pip.stops_at = "unpack"
    interrupt_once(lambda: "unpack" in pip.calls)
    result = cli("engines", "install", NAME, "--yes")
    assert result.code == ExitCode.INTERRUPTED and "goes on with what was fetched" in result.err
    assert environment.state() == "missing" and module.wheels_of(environment).is_dir()


def test_one_in_use_is_not_removed(cli: Cli, pip: PlayedPip, environment: Environment) -> None:
    cli("engines", "install", NAME, "--yes")
    with environment.held():
        result = cli("engines", "remove", NAME, "--yes")
    assert result.code == ExitCode.CONFLICT and "environment_busy" in result.err
    assert environment.state() == "ready"
