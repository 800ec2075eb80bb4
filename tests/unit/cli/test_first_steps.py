"""First steps where no model can answer yet: the one screen, and what each choice does."""

from __future__ import annotations

import io

import pytest

from venom_core.cli import first_steps
from venom_core.cli.exit_codes import ExitCode
from venom_core.plugins import discovery
from venom_core.sdk.errors import InvalidRequest
from venom_core.sdk.provider import Model, PullProgress
from venom_core.sdk.states import Health, ProviderStatus, Reason
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.scripted import PULLS, SCRIPTS, Script, ScriptedProvider, say

QUESTION = "What is the capital of Poland?"


@pytest.fixture
def missing_engine(monkeypatch) -> list[bool]:
    """The scripted provider without its engine, until the list is emptied."""
    missing = [True]

    async def health(self: object) -> Health:
        if missing:
            reason = Reason("engine_missing", "Its engine is not installed.", "Install it.")
            return Health(ProviderStatus.UNAVAILABLE, reason)
        return Health(ProviderStatus.READY)

    monkeypatch.setattr(ScriptedProvider, "health", health)
    return missing


@pytest.fixture
def person(monkeypatch):
    """Somebody at a terminal who types these lines."""

    def sit(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(first_steps, "interactive", lambda: True)
        monkeypatch.setattr("venom_core.cli.terminal.is_terminal", lambda stream: True)

    return sit


def test_without_a_terminal_the_three_ways_are_instructions(cli, missing_engine) -> None:
    done = cli("run", QUESTION)
    assert done.code == ExitCode.UNAVAILABLE
    for text in ("venom plugins install llamacpp", "ollama.com/download", "VENOM_REMOTE__URLS=",
                 "venom plugins install remote", "Its engine is not installed."):  # fmt: skip
        assert text in done.err


@pytest.mark.parametrize("wheels", [("llamacpp",), ("remote", "ollama"), ()])
def test_only_ways_that_can_be_gone_are_offered(
    cli, missing_engine, tmp_path, monkeypatch, wheels: tuple[str, ...]
) -> None:
    for name in wheels:
        (tmp_path / f"venom_{name}-1-py3-none-any.whl").write_text("")
    monkeypatch.setenv("VENOM_WHEELHOUSE", str(tmp_path))
    done = cli("run", QUESTION)
    for name in ("llamacpp", "ollama", "remote"):
        assert (f"venom plugins install {name}" in done.err) is (name in wheels)
    assert ("VENOM_REMOTE__URLS" in done.err) is ("remote" in wheels)


def test_what_is_installed_is_not_to_be_installed(cli, missing_engine, installed) -> None:
    found = [one for one in discovery.scan().found if one.id == "remote"]
    installed.extend(found)
    done = cli("run", QUESTION)
    assert "VENOM_REMOTE__URLS" in done.err and "plugins install remote" not in done.err


def test_with_json_there_is_no_screen(cli, missing_engine) -> None:
    done = cli("run", "--json", QUESTION)
    assert done.err == "" and '"no_model"' in done.out


def test_choosing_the_first_ends_in_an_answer(cli, missing_engine, person, monkeypatch) -> None:
    monkeypatch.setattr(first_steps, "EMBEDDED", "scripted")
    SCRIPTS["tiny"] = Script(
        say("Warsaw"), Model("tiny", "folder", size_bytes=98_000_000, installed=False)
    )
    SCRIPTS["base"] = Script(
        say("x"), Model("base", "folder", size_bytes=1, installed=False, instruct=False)
    )
    PULLS["tiny"] = [PullProgress("completed", "tiny is ready", 1, 1)]
    done_installs: list[str] = []

    def install(name: str) -> None:
        done_installs.append(name)
        missing_engine.clear()

    async def pull(self, ref: str):
        scripted.SEEN.calls.append(f"pull {ref}")
        SCRIPTS[ref] = Script(say("Warsaw"))
        yield PullProgress("completed", "ready", 1, 1)

    monkeypatch.setattr(ScriptedProvider, "pull", pull)
    monkeypatch.setattr(first_steps, "install_and_show", install)
    monkeypatch.setattr(first_steps, "estimate", lambda name: 107_000_000)
    person("1")
    done = cli("run", QUESTION)
    assert (done.code, done.out) == (0, "Warsaw\n"), done.err
    assert done_installs == ["scripted"] and "pull tiny" in scripted.SEEN.calls
    assert "(engine: 107 MB)" in done.err and "98 MB" in done.err


def test_choosing_the_second_or_nothing_installs_nothing(cli, missing_engine, person, monkeypatch):
    monkeypatch.setattr(first_steps, "estimate", lambda name: None)
    monkeypatch.setattr(first_steps, "install_and_show", lambda name: pytest.fail("installed"))
    person("2")
    done = cli("run", QUESTION)
    assert done.code == ExitCode.UNAVAILABLE and "ollama.com/download" in done.err
    monkeypatch.setattr("sys.stdin", io.StringIO(""))  # Ctrl-D is no choice, and not the default
    assert cli("run", QUESTION).code == ExitCode.UNAVAILABLE


def test_choosing_the_third_keeps_the_url(cli, missing_engine, person, monkeypatch, paths) -> None:
    monkeypatch.setattr(first_steps, "estimate", lambda name: None)
    person("3", "192.168.1.20:8000")
    cli("run", QUESTION)
    assert 'urls = ["http://192.168.1.20:8000"]' in paths.config_file.read_text()


def test_a_url_is_added_once_and_comments_stay(paths: Paths) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("# mine\n[server]\nport = 1\n")
    for url in ("http://a:1", "http://b:2", "http://a:1"):
        first_steps.add_server_url(paths, url)
    text = paths.config_file.read_text()
    assert text.startswith("# mine\n") and 'urls = ["http://a:1", "http://b:2"]' in text


def test_what_is_no_url_is_refused(paths: Paths) -> None:
    with pytest.raises(InvalidRequest):
        first_steps.add_server_url(paths, "ftp://x")
    assert not paths.config_file.exists()


def test_with_an_engine_and_no_model_the_models_are_offered(cli, person, monkeypatch) -> None:
    offered = Model("offered", "folder", size_bytes=98_000_000, installed=False, summary="Talks.")
    SCRIPTS["offered"] = Script([], offered)

    async def pull(self, ref: str):
        SCRIPTS[ref] = Script(say("Warsaw"))
        yield PullProgress("completed", "ready", 1, 1)

    monkeypatch.setattr(ScriptedProvider, "pull", pull)
    shown = cli("run", QUESTION)
    assert shown.code == ExitCode.UNAVAILABLE
    assert "offered   98 MB" in shown.err and "venom pull offered" in shown.err
    person("1")
    done = cli("run", QUESTION)
    assert (done.code, done.out) == (0, "Warsaw\n")


@pytest.mark.parametrize(("answer", "pulled"), [("y", True), ("n", False), ("", False)])
def test_a_named_model_is_fetched_only_when_told(cli, person, answer: str, pulled: bool) -> None:
    SCRIPTS["other"] = Script(say("x"))
    SCRIPTS["big:1b"] = Script(
        say("Warsaw"), Model("big:1b", "folder", size_bytes=5_000_000_000, installed=False)
    )
    PULLS["big:1b"] = [PullProgress("completed", "ready", 1, 1)]
    person(answer)
    done = cli("run", "big:1b", QUESTION)
    assert ("pull big:1b" in scripted.SEEN.calls) is pulled
    assert "5.0 GB" in done.err and "Fetch it now?" in done.err
    assert done.code == ExitCode.NOT_FOUND  # the script stays "not installed" after its pull


def test_without_a_terminal_a_named_model_is_only_refused(cli) -> None:
    SCRIPTS["other"] = Script(say("x"))
    done = cli("run", "big:1b", QUESTION)
    assert done.code == ExitCode.NOT_FOUND and scripted.SEEN.requests == []
