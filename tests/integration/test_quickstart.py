"""`venom quickstart`: from a data directory with or without models to an answer."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.unit.cli.processes import all_gone, home_with_models, running, venom

ANSWERED = r"llamacpp://gemma3-270m-base · first token \d+ ms"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_with_models(tmp_path / "home")


@pytest.fixture
def no_node(tmp_path: Path) -> str:
    """A PATH on which nothing is found: no page is built."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return str(folder)


def test_once_prints_the_screen_and_ends(home: Path) -> None:
    done = venom(home, "quickstart", "--once", VENOM_PORT="0")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("[2/4] Models     gemma3-270m-base 253 MB, smollm2:135m 98 MB")
    assert "sha256 ok" in lines[0] and "ai.google.dev/gemma/terms" in lines[0]
    assert re.search(r"127\.0\.0\.1:9 \(optional\) · llamacpp ready in [\d.]+ s, \d+ MB", lines[1])
    assert re.fullmatch(
        r"\[4/4\] Server     http://127\.0\.0\.1:\d+   up in [\d.]+ s, this machine only", lines[2]
    )
    assert lines[3:5] == ["  > What is the capital of Poland?", "  Warsaw"]
    assert re.search(ANSWERED, lines[5]) and lines[5].endswith("nothing left this machine")
    assert re.search(r"checked against your \d+ GB:", lines[6])
    *offers, last = lines[7:]
    assert offers[0].startswith("  venom pull qwen2.5-coder:1.5b   1.1 GB   "), "needs no account"
    assert any("install Ollama, then: venom run gemma3:4b   3.3 GB" in line for line in offers)
    assert last.startswith("Page http://") and "Ctrl-C" not in last
    assert "\x1b" not in done.stdout + done.stderr
    assert not list((home / "run").glob("*.json"))


def test_it_serves_until_ctrl_c_and_leaves_no_process(home: Path, no_node: str) -> None:
    with running(home, "quickstart", "--no-browser", VENOM_PORT="0", PATH=no_node) as guide:
        guide.until(ANSWERED)
        guide.until(r"Ctrl-C stops everything")
        engines = guide.descendants()
        assert engines
        assert (
            "Warsaw"
            in venom(home, "run", "gemma3-270m-base", "What is the capital of Poland?").stdout
        )
        assert guide.end(signal.SIGINT) == 0
    assert all_gone(engines, 5)
    assert not (home / "run" / "server.json").exists()


def test_a_port_in_use_is_named_and_the_next_one_taken(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = venom(home, "quickstart", "--once", VENOM_PORT=str(port))
    assert done.returncode == 0, done.stderr
    server = next(line for line in done.stdout.splitlines() if line.startswith("[4/4]"))
    assert f"port {port} is held by" in server and f"pid {os.getpid()}" in server
    taken = re.search(r"http://127\.0\.0\.1:(\d+)", server)
    assert taken and int(taken[1]) > port


def test_a_server_of_ours_is_used_and_goes_on(home: Path) -> None:
    with running(home, "serve", "--port", "0") as server:
        url = server.url()
        done = venom(home, "quickstart", "--once")
        assert done.returncode == 0, done.stderr
        assert f"{url}   already running (pid {server.process.pid})" in done.stdout
        assert "  Warsaw\n" in done.stdout
        assert server.process.poll() is None


def test_without_the_engine_it_ends_with_1_and_says_why(home: Path) -> None:
    done = venom(home, "quickstart", "--once", VENOM_PORT="0", VENOM_PLUGINS="ollama")
    assert done.returncode == 1
    assert "Code:" in done.stderr and "Traceback" not in done.stderr


def test_a_model_that_does_not_load_is_no_answer(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "models"
    (home / "models").rename(broken)  # the link alone
    for source in (broken / "llamacpp").rglob("*"):
        target = home / "models" / "llamacpp" / source.relative_to(broken / "llamacpp")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            target.write_bytes(b"no model" if source.suffix == ".gguf" else source.read_bytes())
    done = venom(home, "quickstart", "--once", VENOM_PORT="0", PIP_NO_INDEX="1")
    assert done.returncode == 1 and "Warsaw" not in done.stdout
    assert "Code:" in done.stderr


def test_ctrl_c_in_the_middle_leaves_no_process(home: Path) -> None:
    with running(home, "quickstart", "--once", VENOM_PORT="0") as guide:
        guide.until(r"\[2/4\]")
        code = guide.end(signal.SIGINT)
    assert code == 130 and "Traceback" not in "".join(guide.lines)
    assert not (home / "run" / "server.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the signal is of POSIX")
def test_kill_9_leaves_no_engine(home: Path, no_node: str) -> None:
    with running(home, "quickstart", "--no-browser", VENOM_PORT="0", PATH=no_node) as guide:
        guide.until(ANSWERED)
        engines = guide.descendants()
        guide.end(signal.SIGKILL)
    assert engines and all_gone(engines, 20)
