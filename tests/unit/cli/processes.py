"""The command line as real processes, for the tests that need a server or a signal."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.processes import living

VENOM = (sys.executable, "-m", "venom_core.cli.main")
# Read at import: each test gets an environment without VENOM_* variables.
TEST_HOME = Path(
    os.environ.get("VENOM_TEST_HOME") or Path(__file__).parents[3] / ".cache" / "test-home"
)
#: What is said of a provider that was too slow, and how often it is asked.
LATE, TRIES = r"is not open after|did not answer within", 6
MODELS = ("gemma3-270m-base", "smollm2:135m")


def environment(home: Path, **more: str) -> dict[str, str]:
    """A clean one: no Ollama answers in it, Venom's data lies in ``home``, plugins may take as
    long to load as the machine needs, and no model is loaded unasked."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VENOM_", "OLLAMA_"))}
    ours = {"VENOM_HOME": str(home), "VENOM_PLUGIN_LOAD_TIMEOUT": f"{patience(30):.0f}"}
    cold = {"OLLAMA_HOST": "127.0.0.1:9", "LLM_WARMUP_ON_STARTUP": "false"}
    return {**kept, **ours, **cold, **more}


def venom(
    home: Path, *arguments: str, timeout: float = 120, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; again, where a provider had no time to list its models.

    Each command is a process of its own, which loads its plugins anew: on a busy machine that may
    take longer than a listing waits.
    """
    for _ in range(TRIES):
        done = subprocess.run(
            [*VENOM, *arguments],
            env=environment(home, **env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience(timeout),
            check=False,
        )
        late = re.search(LATE, done.stdout + done.stderr)
        if not late or (done.returncode == 0 and arguments[0] != "list"):
            break
    return done


class Running:
    """A command that stays; ``lines`` is what it has printed up to now."""

    def __init__(self, home: Path, *arguments: str, **env: str) -> None:
        self.home = home
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*VENOM, *arguments],
            env=environment(home, **env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def until(self, pattern: str) -> re.Match[str]:
        """Read its output up to a line that matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern!r} was not printed:\n{''.join(self.lines)}")

    def url(self) -> str:
        return self.until(r"Page\s+(http://\S+)")[1]

    def descendants(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int = signal.SIGTERM, timeout: float = 40) -> int:
        """Send a signal and give the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(patience(timeout))
        assert self.process.stdout is not None
        self.lines += self.process.stdout.readlines()
        self.process.stdout.close()
        return code

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "run" / "server.json").read_text()))


@contextlib.contextmanager
def running(home: Path, *arguments: str, **env: str) -> Iterator[Running]:
    """Started, and ended after the block if the block has not done it."""
    command = Running(home, *arguments, **env)
    try:
        yield command
    finally:
        if command.process.poll() is None:
            command.process.terminate()
            try:
                command.process.wait(patience(40))
            except subprocess.TimeoutExpired:
                command.process.kill()
                command.process.wait(patience(10))
        if command.process.stdout is not None:
            command.process.stdout.close()


@functools.cache
def fetch_models() -> None:
    for name in MODELS:
        done = venom(TEST_HOME, "pull", f"llamacpp://{name}", timeout=patience(600))
        assert done.returncode == 0, done.stderr


def home_with_models(home: Path) -> Path:
    """A fresh data directory over the models that the test home keeps, fetched where missing."""
    fetch_models()
    home.mkdir()
    (home / "models").symlink_to(TEST_HOME / "models", target_is_directory=True)
    return home


def all_gone(processes: list[psutil.Process], seconds: float = 20) -> bool:
    """Return whether every one of them ends in time."""
    return eventually(lambda: not living(processes), seconds)
