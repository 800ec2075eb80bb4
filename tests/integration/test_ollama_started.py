"""A real server starts the fake program of Ollama's, by command, and takes it along at its end."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.unit.cli.processes import Running, all_gone, running, venom
from venom_core.sdk.engine import free_port
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.ollama import FakeOllama
from venom_core.testing.ollama.program import FakeProgram


@pytest.fixture
def program(tmp_path: Path) -> FakeProgram:
    return FakeProgram(tmp_path / "bin", scenarios=("any_chat",))


@pytest.fixture
def server(tmp_path: Path, program: FakeProgram) -> Iterator[Running]:
    with running(
        tmp_path / "home", "serve", "--port", "0",
        OLLAMA_HOST=f"127.0.0.1:{free_port()}",
        VENOM_OLLAMA__PROGRAM=str(program.path),
        VENOM_OLLAMA_PROFILE="low-vram-8-12gb",
    ) as server:  # fmt: skip
        server.url()
        yield server


def processes(program: FakeProgram) -> list[psutil.Process]:
    """The launcher and the program of the last start."""
    one = psutil.Process(program.starts()[-1].pid)
    launcher = one.parent()
    assert launcher is not None
    return [launcher, one]


def test_a_life_by_command(server: Running, program: FakeProgram) -> None:
    home = server.home
    started = venom(home, "engines", "start", "ollama")
    assert (started.returncode, started.stdout) == (0, "ollama was started.\n"), started.stderr
    assert venom(home, "engines", "start", "ollama").stdout == "ollama runs already.\n"
    assert program.starts()[0].env["OLLAMA_KV_CACHE_TYPE"] == "q4_0"
    (engine,) = json.loads(venom(home, "engines", "--json").stdout)["engines"]
    assert (engine["name"], engine["provider"], engine["state"]) == ("Ollama", "ollama", "running")
    assert "running" in venom(home, "engines").stdout
    services = json.loads(venom(home, "services", "--json").stdout)["services"]
    (service,) = [one for one in services if one["name"] == "ollama"]
    assert (service["status"], service["service_type"]) == ("running", "engine")
    assert service["pid"] == engine["pid"] and service["memory_mb"] > 1
    assert "Listening on" in venom(home, "engines", "logs", "ollama").stdout
    assert "gemma3" in venom(home, "list").stdout
    first = processes(program)
    again = json.loads(venom(home, "engines", "restart", "ollama", "--json").stdout)
    assert (again["action"], again["changed"]) == ("restart", True)
    assert all_gone(first) and len(program.starts()) == 2
    second = processes(program)
    stopped = venom(home, "engines", "stop", "ollama")
    assert (stopped.returncode, stopped.stdout) == (0, "ollama was stopped.\n"), stopped.stderr
    assert all_gone(second)
    assert venom(home, "engines", "stop", "ollama").stdout == "ollama did not run.\n"
    done = [
        (one["action"], one["subject"])
        for one in json.loads(venom(home, "audit", "--json").stdout)["entries"]
        if one["action"].startswith("service.")
    ]
    verbs = ("stop", "restart", "start")
    assert done == [(f"service.{verb}", "ollama") for verb in verbs]
    history = json.loads(venom(home, "services", "history", "--json").stdout)["history"]
    assert [one["action"] for one in history if one["service"] == "ollama"] == [*verbs]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_the_server(server: Running, program: FakeProgram, number: int) -> None:
    assert venom(server.home, "engines", "start", "ollama").returncode == 0
    left = processes(program)
    server.process.send_signal(number)
    server.process.wait(patience(40))
    assert all_gone(left, 20)


def test_what_keeps_it_from_starting_is_said(server: Running, program: FakeProgram) -> None:
    program.behave(ends_with=3)
    refused = venom(server.home, "engines", "start", "ollama", "--json")
    assert refused.returncode != 0
    assert json.loads(refused.stdout)["error"]["code"] == "engine_exited"
    log = venom(server.home, "logs", "ollama")
    assert "no GPU that this fake likes" in log.stdout
    program.path.unlink()
    program.behave()
    missing = venom(server.home, "engines", "start", "ollama")
    assert missing.returncode != 0 and "cannot be run" in missing.stderr, missing.stderr


def test_somebody_elses_is_left_alone(tmp_path: Path, program: FakeProgram) -> None:
    with FakeOllama() as theirs:
        with running(
            tmp_path / "home", "serve", "--port", "0",
            OLLAMA_HOST=theirs.url, VENOM_OLLAMA__PROGRAM=str(program.path),
            VENOM_OLLAMA_PROFILE="balanced-12-24gb",
        ) as server:  # fmt: skip
            server.url()
            home = server.home
            said = venom(home, "engines", "start", "ollama").stdout
            assert said == "ollama runs already.\n"
            stop = venom(home, "engines", "stop", "ollama")
            assert stop.returncode != 0 and "not started by Venom" in stop.stderr
            doctor = json.loads(venom(home, "doctor", "--json").stdout)["findings"]
            (note,) = [one for one in doctor if one["name"] == "provider ollama"]
            assert note["code"] == "ollama_profile_in_part"
            assert server.end() == 0
        assert eventually(lambda: theirs.requests())  # it still answers
    assert program.starts() == []


def test_without_a_server_it_would_end_at_once(tmp_path: Path, program: FakeProgram) -> None:
    done = venom(
        tmp_path / "home", "engines", "start", "ollama", VENOM_OLLAMA__PROGRAM=str(program.path)
    )
    assert done.returncode != 0 and "venom serve" in done.stderr
    assert program.starts() == []
