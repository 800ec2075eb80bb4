"""The command line over the scripted provider, in this process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.stage import stage
from venom_core.cli.connection import local
from venom_core.cli.logs import end_logging
from venom_core.cli.main import run_command
from venom_core.composition import Venom
from venom_core.plugins.discovery import Found
from venom_core.settings.layers import Settings
from venom_core.settings.paths import Paths
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.staging import SCRIPTED, venom_over

__all__ = ["stage"]  # used by being here


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Cli = Callable[..., Result]


@pytest.fixture
def paths() -> Paths:
    return Paths.resolve()


@pytest.fixture
def installed() -> list[Found]:
    """Return what is installed; a test may empty it."""
    return [SCRIPTED]


@pytest.fixture(autouse=True)
def _scripted_venom(monkeypatch: pytest.MonkeyPatch, installed: list[Found]) -> None:
    def make() -> Venom:
        return venom_over(Settings.load(Paths.resolve(), os.environ), installed)

    monkeypatch.setattr(local, "make_venom", make)


@pytest.fixture
def interrupt_once() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Press Ctrl-C as soon as a condition is true, and not after the test."""
    over = threading.Event()
    pressing: list[threading.Thread] = []

    def press(condition: Callable[[], object]) -> None:
        if eventually(lambda: over.is_set() or condition(), 60) and not over.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    def begin(condition: Callable[[], object]) -> None:
        pressing.append(threading.Thread(target=press, args=(condition,)))
        pressing[0].start()

    yield begin
    over.set()
    for thread in pressing:
        thread.join()


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Run a command line; gives its exit code and what it printed. Its log is closed afterwards."""

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        code = run_command(list(arguments))
        out, err = capfd.readouterr()
        return Result(code, out, err)

    yield run
    end_logging()


HOLD = """
import sys, time
from venom_core.cli.connection.lock import hold_data_directory
from venom_core.settings.paths import Paths
with hold_data_directory(Paths.resolve(), sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Another process that holds the data directory until its input is closed."""
    running: list[subprocess.Popen[str]] = []

    def start(command: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD, command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(child)
        assert child.stdout is not None and child.stdout.readline() == "held\n"
        return child

    yield start
    for child in running:
        child.kill()
        child.communicate(timeout=patience(10))
