"""Each state that a command meets is told with a fix; here the fix is read off what was shown and
done from that state, word for word, and the state is gone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.unit.cli.conftest import Cli, Result
from tools.house.commands import commands_in
from venom_core import __version__
from venom_core.cli.connection.server_file import publish
from venom_core.cli.listening import PortInUse, listen, require_key_beyond_loopback
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found
from venom_core.sdk.provider import Model, PullProgress
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing import scripted
from venom_core.testing.ollama.process import FakeOllama
from venom_core.testing.scripted import SCRIPTS, Script, ScriptedProvider, say

Arrange = Callable[[Cli, Paths, pytest.MonkeyPatch], object]


@dataclass(frozen=True)
class Case:
    """``typed`` meets the state that ``arrange`` makes and is refused with ``code``.

    Args:
        given: what a person puts in the place of the words in capitals, and adds because no
            terminal asks them here (``--yes``).
        again: what then works; the same command where it is not given.
    """

    typed: tuple[str, ...]
    code: str
    arrange: Arrange = lambda cli, paths, monkeypatch: None
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    again: tuple[str, ...] | None = None


def city(*_: object) -> None:
    SCRIPTS["city"] = Script(say("Warsaw"))


def two_roles(cli: Cli, *_: object) -> None:
    city()
    for role in ("chat", "embedding"):
        assert cli("use", "city", "--role", role).code == 0


def stored_too_much(cli: Cli, _: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model with blanks and a quote in its name, and a parameter that its provider has lost."""
    SCRIPTS["my model's"] = Script(say("x"))
    assert cli("set", "my model's", "temperature=1").code == 0
    (spec,) = scripted.venom_providers()
    object.__setattr__(spec, "parameters", frozenset({"max_tokens"}))
    monkeypatch.setattr(scripted, "venom_providers", scripted.hookimpl(lambda: [spec]))


def offered(cli: Cli, _: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    SCRIPTS["tiny"] = Script(say("x"), Model("tiny", "folder", size_bytes=1000, installed=False))

    async def pull(self: object, ref: str) -> Any:
        SCRIPTS[ref] = Script(say("x"))
        yield PullProgress("completed", "ready", 1, 1)

    monkeypatch.setattr(ScriptedProvider, "pull", pull)


def backed_up_and_damaged(cli: Cli, paths: Paths, _: object) -> None:
    assert cli("keys", "create", "laptop").code == 0
    assert cli("backup", str(paths.home / "kept.zip")).code == 0
    for file in paths.store_file.parent.glob("venom.db-*"):
        file.unlink()
    paths.store_file.write_bytes(b"SQLite format 3\0" + b"\xff" * 8000)


def broken_file(_: object, paths: Paths, __: object) -> None:
    paths.make(paths.home)
    paths.config_file.write_text("[server\n")


def no_home(_: object, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    city()
    (paths.home.parent / "file").write_text("")
    monkeypatch.setenv("VENOM_HOME", str(paths.home.parent / "file" / "home"))


def disabled(cli: Cli, *_: object) -> None:
    city()
    assert cli("plugins", "disable", "scripted").code == 0


def switched_off(_: object, __: object, monkeypatch: pytest.MonkeyPatch) -> None:
    city()
    monkeypatch.setenv("VENOM_RUNTIME_PROFILE", "llm_off")


def fails_once(_: object, __: object, monkeypatch: pytest.MonkeyPatch) -> None:
    city()
    whole = ScriptedProvider.open

    async def fails(self: ScriptedProvider) -> None:
        monkeypatch.setattr(ScriptedProvider, "open", whole)
        raise KeyError("x")

    monkeypatch.setattr(ScriptedProvider, "open", fails)


def two_talks(cli: Cli, *_: object) -> None:
    city()
    for _question in range(40):  # so many that two begin with the same letter
        assert cli("run", "city", "Hello there").code == 0


CASES = {
    "a misspelt model": Case(("run", "gema3:4b", "Hello there"), "model_not_found",
                             lambda *_: SCRIPTS.update({"gemma3:4b": Script(say("x"))}),
                             again=("run", "gemma3:4b", "Hello there")),
    "an unknown model": Case(("show", "quite-another"), "model_not_found", city,
                             again=("show", "city")),
    "nothing is installed": Case(("show", "quite-another"), "model_not_found",
                                 again=("list", "--available")),
    "no model at all": Case(("run", "Hello there"), "no_model"),
    "one that is not fetched": Case(("use", "tiny"), "model_not_found", offered),
    "the active model, to be removed": Case(("rm", "city", "--yes"), "model_active", two_roles),
    "a stored parameter": Case(("run", "my model's", "Hello there"), "unsupported_parameter",
                               stored_too_much),
    "no such parameter": Case(("set", "city", "nonsense=1"), "invalid_parameters", city,
                              {"MODEL": ("city",)}, again=("set", "city", "temperature=1")),
    "a disabled plugin": Case(("run", "city", "Hello there"), "model_not_found", disabled),
    "a named provider that is disabled": Case(("run", "scripted://city", "Hello there"),
                                              "disabled_by_user", disabled),
    "a provider that fails": Case(("run", "scripted://city", "Hello there"), "open_failed",
                                  fails_once),
    "the profile without models": Case(("run", "city", "Hello there"), "llm_off", switched_off),
    "no such plugin": Case(("plugins", "retry", "nothing"), "plugin_not_found",
                           again=("plugins", "retry", "scripted")),
    "no conversation": Case(("run", "-c", "Hello there"), "session_not_found", city,
                            {"run": ("run", "city", "Hello there")}),
    "no such operation": Case(("operations", "pause", "zz"), "operation_not_found",
                              again=("operations",)),
    "no such log": Case(("logs", "nothing"), "log_not_found", again=("logs",)),
    "no such key": Case(("keys", "revoke", "zz"), "key_not_found", again=("keys", "list")),
    "a bad name of a key": Case(("keys", "create", ""), "invalid_request_error",
                                again=("keys", "list")),
    "a bad pattern of a key": Case(("keys", "create", "k", "--model", ""), "invalid_request_error",
                                   again=("keys", "list")),
    "no such alias": Case(("alias", "rm", "nothing"), "alias_not_found", again=("alias", "list")),
    "a bad alias": Case(("alias", "set", "a://b", "city"), "invalid_alias",
                        again=("alias", "list")),
    "an alias in a circle": Case(("alias", "set", "b", "a"), "alias_loop",
                                 lambda cli, *_: cli("alias", "set", "a", "b"),
                                 {"MODEL": ("city",)}, again=("alias", "list")),
    "no such file": Case(("run", "./nothing.gguf", "Hello there"), "file_not_found", city,
                         again=("run", "city", "Hello there")),
    "nothing to go back to": Case(("legacy", "rollback"), "legacy_not_imported",
                                  lambda cli, paths, _: (paths.home / "old").mkdir(parents=True)
                                  or (paths.home / "old" / ".env").write_text("A=1\n"),
                                  {"FOLDER": ("{home}/old",)}),
    "a damaged store": Case(("keys", "list"), "store_damaged", backed_up_and_damaged,
                            {"FILE": ("{home}/kept.zip", "--yes")}),
    "a short search": Case(("search", "x"), "invalid_request_error", again=("plugins",)),
    "a home that is a file": Case(("run", "city", "Hello there"), "home_not_writable", no_home),
    "a broken settings file": Case(("config", "set", "server.port", "1"), "invalid_config_file",
                                   broken_file),
}  # fmt: skip


def fix_of(result: Result) -> str:
    assert result.code != 0, result.out
    return re.findall(r"^Fix: +(.*)$", result.err, re.MULTILINE)[-1]


def do(fix: str, case: Case, cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do everything that the fix says can be typed; at least one thing can be."""
    done = 0
    for one in commands_in(fix):
        words = [word for part in one.words for word in case.given.get(part, (part,))]
        words = [word.format(home=paths.home) for word in words]
        if one.words[0] == "serve":  # what it would be started with counts here
            monkeypatch.setenv("VENOM_RUNTIME_PROFILE", words[words.index("--profile") + 1])
        elif one.whole or "--json" in words:
            result = cli(*words)
            for further in re.findall(r"Fix: +(.*)$", result.out, re.MULTILINE):
                do(further, case, cli, paths, monkeypatch)  # what it shows says how to go on
            searched = words[0] == "search"  # nothing of the release answers on this stage
            assert result.code == 0 or searched, (words, result)
        done += 1
    for name, value in re.findall(r"\b((?:VENOM|OLLAMA)_\w+)=(\S+)", fix):
        monkeypatch.setenv(name, value.replace("/path/to/folder", str(paths.home / "other")))
        done += 1
    for moved in re.findall(r"Correct (\S+), or move it away", fix):
        Path(moved).rename(f"{moved}.away")
        done += 1
    for number in re.findall(r"kill (\d+)", fix):
        os.kill(int(number), signal.SIGTERM)
        done += 1
    assert done or "Did you mean" in fix, f"nothing can be done by: {fix}"


@pytest.mark.parametrize("name", CASES)
def test_the_fix_is_done_and_the_state_is_gone(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    case = CASES[name]
    case.arrange(cli, paths, monkeypatch)
    refused = cli(*case.typed)
    assert refused.err.splitlines()[-1].split() == ["Code:", case.code], refused
    fix = fix_of(refused)
    do(fix, case, cli, paths, monkeypatch)
    if name == "no model at all":
        city()  # what the list offers is fetched
    result = cli(*(case.again or case.typed))
    assert result.code == 0, (fix, result)


def test_the_near_name_is_the_one_that_runs(cli: Cli) -> None:
    SCRIPTS["gemma3:4b"] = Script(say("Warsaw"))
    meant = re.findall(r"Did you mean (\S+)\?", fix_of(cli("run", "gema3:4b", "Hello there")))
    assert cli("run", *meant, "Hello there").out == "Warsaw\n"


def test_enough_letters_are_in_the_list_that_the_fix_names(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_talks(cli)
    refused = cli("run", "--session", "", "Hello there")
    assert "session_ambiguous" in refused.err
    (named,) = commands_in(fix_of(refused))
    shown = cli(*named.words[:2])
    (identifier, *_) = re.findall(r'"id": "([0-9a-f-]{36})"', shown.out)
    assert cli("run", "--session", identifier, "Hello there").code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="it is told to send a signal")
@pytest.mark.parametrize("holder", ["venom serve", "venom run"])
def test_who_is_in_the_way_is_ended_as_the_fix_says(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch, other_process, holder: str
) -> None:
    from venom_core.cli.connection import lock

    city()
    monkeypatch.setattr(lock, "PATIENCE", 0.1)
    child = other_process(holder)
    refused = cli("run", "city", "Hello there")
    assert "data_directory_busy" in refused.err
    fix = fix_of(refused)
    if holder == "venom serve":
        do(fix, Case((), ""), cli, paths, monkeypatch)
    else:
        assert fix.startswith("Wait until it ends")
        child.terminate()
    child.wait()
    assert cli("run", "city", "Hello there").out == "Warsaw\n"


@pytest.mark.skipif(sys.platform == "win32", reason="it is told to send a signal")
def test_a_server_that_does_not_answer_is_ended_as_the_fix_says(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch, other_process
) -> None:
    from venom_core.cli.connection.server_file import ServerRecord
    from venom_core.sdk.process_identity import ProcessIdentity

    city()
    child = other_process("venom x")  # it lives, and listens to nobody
    started = ProcessIdentity.of(psutil.Process(child.pid)).started
    publish(paths, ServerRecord(child.pid, started, "http://127.0.0.1:1", "t" * 32, __version__))
    refused = cli("run", "city", "Hello there")
    assert "server_not_answering" in refused.err
    number = re.findall(r"kill (\d+)", fix_of(refused))
    os.kill(int(number[0]), signal.SIGTERM)
    child.wait()
    assert cli("run", "city", "Hello there").out == "Warsaw\n"


def neighbours(stack: contextlib.ExitStack) -> int:
    """Hold two ports that follow each other until ``stack`` ends; the lower one."""
    while True:
        port = stack.enter_context(listen("127.0.0.1", 0)).getsockname()[1]
        with contextlib.suppress(PortInUse):
            stack.enter_context(listen("127.0.0.1", port + 1))
            return int(port)


def test_the_port_that_is_named_is_free() -> None:
    with contextlib.ExitStack() as stack:
        port = neighbours(stack)
        with pytest.raises(PortInUse) as refused:
            listen("127.0.0.1", port)
        (command,) = commands_in(refused.value.fix)
        named = int(command.words[command.words.index("--port") + 1])
        assert named not in (port, port + 1)


def test_a_way_in_for_others_opens_with_the_key_that_the_fix_makes(
    cli: Cli, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VENOM_HOST", "0.0.0.0")
    refused = cli("serve", "--host", "0.0.0.0")
    assert "key_required" in refused.err
    do(fix_of(refused), Case((), "", given={"NAME": ("team",)}), cli, paths, monkeypatch)
    require_key_beyond_loopback(Venom(Settings.load(paths, os.environ)))


OLLAMA = Found("ollama", "venom_ollama.plugin", "v1", "venom-ollama", __version__, "first_party")


@pytest.fixture
def with_ollama(installed: list[Found]) -> None:
    installed[:] = [OLLAMA]


@pytest.mark.usefixtures("with_ollama")
@pytest.mark.parametrize(("usual", "code"), [(False, "ollama_down"), (True, "engine_missing")])
def test_an_ollama_elsewhere_is_named_as_the_fix_says(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, usual: bool, code: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    if usual:  # its usual address, where nobody has it
        monkeypatch.setattr("venom_ollama.address.DEFAULT_PORT", 9)
    refused = cli("run", "ollama://gemma3:4b", "Hello there")
    assert code in refused.err and "set OLLAMA_HOST" in fix_of(refused)
    with FakeOllama(scenarios=("any_chat",)) as fake:
        monkeypatch.setenv("OLLAMA_HOST", fake.url)
        listed = cli("list")
        assert listed.code == 0 and "ollama" in listed.out and not listed.err
        name = listed.out.splitlines()[1].split()[0]
        assert cli("run", name, "Hello there").code == 0


def test_an_ollama_that_nobody_has_is_told_where_it_matters(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: list[Found]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    monkeypatch.setattr("venom_ollama.address.DEFAULT_PORT", 9)
    installed.append(OLLAMA)
    said = "Ollama is not installed here"
    assert said in cli("list").err  # nobody else has a model either
    city()
    assert cli("list").err == ""
    assert said in cli("list", "--json").out and said in cli("doctor").out
    monkeypatch.setattr("venom_ollama.address.DEFAULT_PORT", 11434)
    assert "Ollama does not answer" in cli("list").err  # named, and down: that is news


def test_a_listing_waits_for_a_provider_as_long_as_the_setting_says(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a slow machine every command loads its plugins anew: asking again alone helps nobody."""
    city()
    whole = ScriptedProvider.open

    async def slow(self: ScriptedProvider) -> None:
        await asyncio.sleep(0 if os.environ["VENOM_PLUGIN_LOAD_TIMEOUT"] == "60" else 1e6)
        await whole(self)

    monkeypatch.setattr(ScriptedProvider, "open", slow)
    monkeypatch.setattr("venom_core.testing.staging.patience", lambda seconds: seconds)
    monkeypatch.setenv("VENOM_PLUGIN_LOAD_TIMEOUT", "0.3")
    late = cli("list")
    (named,) = re.findall(r"VENOM_PLUGIN_LOAD_TIMEOUT", late.err)
    assert "city" not in late.out
    monkeypatch.setenv(named, "60")
    assert "city" in cli("list").out
    assert made_with(60).registry._open_patience() == 60


def made_with(seconds: float) -> Venom:
    env = {"VENOM_PLUGIN_LOAD_TIMEOUT": str(seconds)}
    return Venom(Settings.load(Paths.resolve(), env))
