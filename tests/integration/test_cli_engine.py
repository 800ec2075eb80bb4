"""The command line with the real engine: asked, interrupted, stopped, killed."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.unit.cli.processes import (
    VENOM,
    Running,
    all_gone,
    environment,
    home_with_models,
    running,
    venom,
)
from venom_core.testing.deadlines import eventually, patience

QUESTION = "What is the capital of Poland?"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return home_with_models(tmp_path / "home")


@pytest.fixture
def server(home: Path) -> Iterator[Running]:
    with running(home, "serve", "--port", "0") as server:
        server.url()
        yield server


def test_run_json_in_this_process(home: Path) -> None:
    done = venom(home, "run", "--json", "gemma3-270m-base", QUESTION)
    record = json.loads(done.stdout)
    assert record["content"] == "Warsaw" and record["provider"] == "llamacpp"
    assert record["usage"]["prompt_tokens"] > 50 and record["usage"]["completion_tokens"] >= 1
    assert record["ttft_ms"] > 0
    assert not (home / "run" / "holder.json").exists()


def test_run_through_the_server_uses_its_engine(server: Running) -> None:
    first = venom(server.home, "run", "gemma3-270m-base", QUESTION)
    assert (first.returncode, first.stdout) == (0, "Warsaw\n")
    assert "llamacpp://gemma3-270m-base" in venom(server.home, "ps").stdout
    stopped = venom(server.home, "stop", "gemma3-270m-base")
    assert stopped.returncode == 0
    assert eventually(lambda: "No model" in venom(server.home, "ps").stdout, 20)


def test_ctrl_c_in_run_leaves_no_engine(home: Path) -> None:
    child = subprocess.Popen(
        [*VENOM, "run", "--set", "max_tokens=3000", "smollm2:135m", "Tell a very long story."],
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.read(1), "it did not begin to answer"
    engines = psutil.Process(child.pid).children(recursive=True)
    assert engines
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=patience(40))
    assert child.returncode == 130 and "Stopped." in told and "Traceback" not in told
    assert all_gone(engines)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_server_leaves_no_engine(server: Running, number: int) -> None:
    assert venom(server.home, "run", "gemma3-270m-base", QUESTION).stdout == "Warsaw\n"
    engines = server.descendants()
    assert engines, "no engine was started"
    assert server.end(number) == 0
    assert all_gone(engines, 5)


def test_kill_9_under_load_leaves_no_engine(server: Running) -> None:
    url = server.record["url"]
    begun = threading.Event()

    def stream() -> None:
        body = {
            "model": "smollm2:135m",
            "stream": True,
            "max_tokens": 3000,
            "messages": [{"role": "user", "content": "Tell a very long story."}],
        }
        request = urllib.request.Request(
            f"{url}/v1/chat/completions",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=patience(120)) as response:
                for line in response:
                    if line.startswith(b"data: "):
                        begun.set()
        except OSError:
            return  # the server is killed under it: that is the test

    readers = [threading.Thread(target=stream, daemon=True) for _ in range(3)]
    for reader in readers:
        reader.start()
    assert begun.wait(patience(90)), "no answer began"
    engines = server.descendants()
    assert engines, "no engine was started"
    server.end(signal.SIGKILL)
    assert all_gone(engines, 20), [process for process in engines if process.is_running()]
    for reader in readers:
        reader.join(30)


def test_after_kill_9_the_next_start_answers(server: Running) -> None:
    assert venom(server.home, "run", "gemma3-270m-base", QUESTION).stdout == "Warsaw\n"
    server.end(signal.SIGKILL)
    again = venom(server.home, "run", "gemma3-270m-base", QUESTION)
    assert (again.returncode, again.stdout) == (0, "Warsaw\n"), again.stderr


def test_a_gguf_file_by_its_path(tmp_path: Path) -> None:
    model = next((home_with_models(tmp_path / "with") / "models").rglob("smollm2*.gguf"))
    link = tmp_path / "a talker.gguf"
    link.symlink_to(model)
    done = venom(tmp_path / "home", "run", "--json", str(link), "hi")
    record = json.loads(done.stdout)
    assert (record["provider"], record["model"]) == ("llamacpp", "a-talker")
    assert record["content"]
