"""The quickstart's steps, over the scripted provider."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from venom_core.cli import guide, page_build
from venom_core.cli.connection import local
from venom_core.cli.connection.local import LocalVenom
from venom_core.cli.quickstart_lines import last_line, models_line, providers_line, suggestion_lines
from venom_core.sdk.errors import ModelNotFound, UpstreamIncomplete, VenomError
from venom_core.sdk.programs import Program
from venom_core.sdk.provider import EngineStatus, Model, PullProgress
from venom_core.testing import scripted
from venom_core.testing.deadlines import patience, until
from venom_core.testing.scripted import SCRIPTS, Script, ScriptedProvider, say


@pytest.fixture(autouse=True)
def _names(monkeypatch) -> None:
    monkeypatch.setattr(guide, "EMBEDDED", "scripted")
    monkeypatch.setattr(guide, "MODELS", ("city", "talk"))


@asynccontextmanager
async def connection() -> AsyncIterator[LocalVenom]:
    made = await LocalVenom.open(local.make_venom())
    try:
        yield made
    finally:
        await made.close()


def model(name: str, *, installed: bool) -> Model:
    return Model(name, "folder", size_bytes=253_000_000, installed=installed,
                 license="Terms", terms_url="https://example.org/terms")  # fmt: skip


@pytest.fixture
def pulling(monkeypatch) -> None:
    async def pull(self, ref: str):
        scripted.SEEN.calls.append(f"pull {ref}")
        SCRIPTS[ref] = Script(say("Warsaw"), model(ref, installed=True))
        yield PullProgress("completed", "ready", 1, 1)

    monkeypatch.setattr(ScriptedProvider, "pull", pull)


async def test_what_is_missing_is_announced_with_sizes_before_it_is_fetched(
    capsys, pulling
) -> None:
    SCRIPTS["city"] = Script([], model("city", installed=False))
    SCRIPTS["talk"] = Script([], model("talk", installed=True))
    async with connection() as made:
        await guide.fetch_models(made)
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("Fetching city 253 MB, ") and "talk" not in first
    assert scripted.SEEN.calls.count("pull city") == 1 and "pull talk" not in scripted.SEEN.calls
    assert last == (
        "[2/4] Models     city 253 MB, talk 253 MB   sha256 ok    "
        "(Terms: example.org/terms, Terms: example.org/terms)"
    )


async def test_the_second_time_nothing_is_fetched(capsys, pulling) -> None:
    for name in ("city", "talk"):
        SCRIPTS[name] = Script(say("x"), model(name, installed=True))
    async with connection() as made:
        await guide.fetch_models(made)
    assert "already there" in capsys.readouterr().out
    assert not [call for call in scripted.SEEN.calls if call.startswith("pull")]


async def test_without_the_plugin_the_refusal_says_what_is_missing(monkeypatch) -> None:
    monkeypatch.setattr(guide, "EMBEDDED", "nothing")
    async with connection() as made:
        with pytest.raises(VenomError) as caught:
            await guide.fetch_models(made)
    assert caught.value.code == "provider_not_found"


@pytest.mark.parametrize(("there", "tries"), [(True, 1), (False, 2)])
async def test_the_engine_loads_while_the_models_are_listed(
    capsys, monkeypatch, there: bool, tries: int
) -> None:
    """A model that is not there yet is loaded after it was fetched."""
    begun, loads = asyncio.Event(), []

    async def load(self, ref: str) -> None:
        loads.append(ref)
        begun.set()
        if not there and len(loads) == 1:
            raise ModelNotFound("Not fetched yet.")

    async def engines(self) -> list[EngineStatus]:
        return []

    async def fetched(connection: LocalVenom) -> None:
        await asyncio.wait_for(begun.wait(), patience(5))

    async def served(self) -> None:
        print("served")

    monkeypatch.setattr(ScriptedProvider, "load", load)
    monkeypatch.setattr(ScriptedProvider, "engines", engines)
    monkeypatch.setattr(guide, "fetch_models", fetched)
    monkeypatch.setattr(guide._Guide, "_serve", served)
    await guide._Guide(local.make_venom(), once=True, browser=False).run()
    assert loads == ["city"] * tries
    shown = capsys.readouterr().out
    assert "scripted ready in 0.0 s" in shown and shown.endswith("served\n")


async def test_the_answer_and_its_figures(capsys) -> None:
    SCRIPTS["city"] = Script(say("War", "saw"))
    async with connection() as made:
        await guide.ask_first_question(made)
    question, answer, figures = capsys.readouterr().out.splitlines()
    assert (question, answer) == ("  > What is the capital of Poland?", "  Warsaw")
    assert figures.startswith("  scripted://city · first token ")
    assert figures.endswith("nothing left this machine")


@pytest.mark.parametrize("steps", [say(), say(" ", "\n")])
async def test_an_empty_answer_is_none(steps) -> None:
    SCRIPTS["city"] = Script(steps)
    async with connection() as made:
        with pytest.raises(UpstreamIncomplete):
            await guide.ask_first_question(made)


async def test_an_answer_that_breaks_off_ends_its_line(capsys) -> None:
    SCRIPTS["city"] = Script([*say("War")[:1], UpstreamIncomplete("Broke.")])
    async with connection() as made:
        with pytest.raises(UpstreamIncomplete):
            await guide.ask_first_question(made)
    assert capsys.readouterr().out.endswith("  War\n")


async def test_the_next_free_port_with_a_word_on_who_holds_the_first(monkeypatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("VENOM_PORT", str(port))
        venom = local.make_venom()
        listener, told = guide._Guide(venom, once=True, browser=False)._listen()
        with listener:
            assert port < listener.getsockname()[1]
        assert f"port {port} is held by" in told


async def _first(work, serving, *, stopping: bool = False) -> None:
    server = SimpleNamespace(should_exit=stopping)
    await guide._first_of(asyncio.create_task(work), asyncio.create_task(serving), server)


async def test_a_server_that_ends_during_the_answer_interrupts_it() -> None:
    ended = []

    async def answer() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        await _first(answer(), asyncio.sleep(0))
    assert ended

    async def broken() -> None:
        raise VenomError("It did not start.")

    with pytest.raises(VenomError):
        await _first(asyncio.sleep(60), broken())


@pytest.mark.parametrize(("stopping", "raised"), [(True, KeyboardInterrupt), (False, VenomError)])
async def test_ctrl_c_during_the_answer_is_no_failure_of_the_server(stopping, raised) -> None:
    """The server that is told to stop closes the connection before it has ended."""

    async def cut_off() -> None:
        raise VenomError("The server does not answer any more.")

    with pytest.raises(raised):
        await _first(cut_off(), asyncio.sleep(60), stopping=stopping)


@pytest.fixture
def unbuilt(monkeypatch, tmp_path: Path) -> Path:
    checkout = tmp_path / "checkout"
    (checkout / "web").mkdir(parents=True)
    (checkout / "Makefile").write_text("ui:\n\t@exit 3\n")
    monkeypatch.setattr(guide, "is_built", lambda: False)
    monkeypatch.setattr(guide, "checkout", lambda: checkout)
    return checkout


async def stay(capsys, said: str) -> str:
    """Serve until that is said; gives all that was said."""
    shown: list[str] = []

    def is_said() -> bool:
        shown.append(capsys.readouterr().out)
        return said in "".join(shown)

    made = guide._Guide(local.make_venom(), once=False, browser=True)
    await made._stay(asyncio.create_task(until(is_said)), "http://127.0.0.1:1")
    return "".join(shown)


async def test_a_page_that_cannot_be_built_fails_nothing(capsys, monkeypatch, unbuilt) -> None:
    monkeypatch.setattr(guide, "what_is_missing", lambda folder: None)
    begun, ended = (await stay(capsys, "was not built")).splitlines()
    assert "in the background" in begun
    assert "was not built (make ui ended with 2" in ended


async def test_without_node_one_line_says_so(capsys, monkeypatch, unbuilt) -> None:
    monkeypatch.setattr(page_build, "look_for", lambda name: Program(name, None))
    (line,) = (await stay(capsys, "make ui")).splitlines()
    assert "node" in line and "make ui" in line


async def test_a_node_that_does_not_start_is_told_as_such(capsys, monkeypatch, unbuilt) -> None:
    def found(name: str) -> Program:
        return Program(name, f"/shims/{name}", "exit code 127" if name == "node" else None)

    monkeypatch.setattr(page_build, "look_for", found)
    (line,) = (await stay(capsys, "make ui")).splitlines()
    assert "PATH finds node (exit code 127), which does not start" in line
    monkeypatch.setattr(page_build, "look_for", lambda name: Program(name, f"/bin/{name}"))
    assert page_build.what_is_missing(unbuilt) is None


async def test_a_log_that_cannot_be_written_fails_nothing(
    capsys, monkeypatch, unbuilt, tmp_path
) -> None:
    monkeypatch.setattr(guide, "what_is_missing", lambda folder: None)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VENOM_HOME", str(tmp_path / "file" / "home"))
    await stay(capsys, "was not built")


def test_lines_leave_out_what_is_not_there() -> None:
    provider = {"name": "x", "reason": None}
    assert (
        providers_line([provider], "engine", "ready") == "[3/4] Providers  x ready · engine ready"
    )
    assert models_line([], fetched=False).startswith("[2/4]")
    nothing = {"machine": {"memory_available_bytes": 1}, "providers": [], "suggestions": []}
    assert suggestion_lines(nothing) == []


def test_the_next_step_is_the_largest_that_needs_no_account_and_fits() -> None:
    def offer(name: str, size: int, *, verb: str = "pull", fits: bool = True, there: bool = True):
        return {
            "command": f"venom {verb} {name}", "size_bytes": size, "fits": fits,
            "available": there, "provider": "ollama" if not there else "llamacpp",
        }  # fmt: skip

    first, *lines = suggestion_lines(
        {
            "machine": {"memory_available_bytes": 8_000_000_000},
            "providers": [{"name": "ollama", "title": "Ollama"}],
            "suggestions": [
                offer("gemma3:4b", 3_300_000_000, verb="run", there=False),
                offer("huge", 90_000_000_000, fits=False),
                offer("small", 500_000_000),
                offer("large", 1_100_000_000),
                offer("hf.co/a/b", 800_000_000, verb="run"),
            ],
        }
    )
    assert "your 8 GB" in first
    assert [" ".join(line.split()) for line in lines] == [
        "venom pull large 1.1 GB fits",
        "venom run hf.co/a/b 0.8 GB fits",
        "install Ollama, then: venom run gemma3:4b 3.3 GB fits",
    ]
    assert "Ctrl-C stops everything" in last_line("u", stays=True)
    assert "Ctrl-C" not in last_line("u", stays=False)


def test_paths_are_named_as_they_are_typed_from_here(monkeypatch, tmp_path: Path) -> None:
    from venom_core.cli.quickstart_lines import own_command

    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv" / "bin" / "venom"), "quickstart"])
    assert own_command() == ".venv/bin/venom"
    monkeypatch.setattr("sys.argv", ["/elsewhere/bin/venom"])
    assert own_command() == "/elsewhere/bin/venom"
    monkeypatch.setattr("sys.argv", ["main.py"])
    assert own_command() == "venom"
