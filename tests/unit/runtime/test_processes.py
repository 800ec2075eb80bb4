"""Figures of real processes: trees, who is busy, what is gone, and who listens on a port."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from venom_core.runtime import processes
from venom_core.runtime.processes import ProcessReader, listener
from venom_core.testing.deadlines import eventually

SLEEPS = "import time; print('on', flush=True); time.sleep(600)"
BUSY = "print('on', flush=True)\nwhile True: pass"
#: Starts a child with the code of its argument, and prints the child's number.
PARENT = (
    "import subprocess, sys, time; c = subprocess.Popen([sys.executable, '-c', sys.argv[1]]);"
    "print(c.pid, flush=True); time.sleep(600)"
)


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []
    yield running
    for process in running:
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def start(started: list[subprocess.Popen[str]], *arguments: str) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout is not None
    return process.pid, process.stdout.readline().strip()


def test_a_tree_is_counted_together(started: list[subprocess.Popen[str]]) -> None:
    alone, _ = start(started, SLEEPS)
    parent, child = start(started, PARENT, SLEEPS)
    told = ProcessReader().read([alone, parent])
    one, two = told[alone].memory_bytes, told[parent].memory_bytes
    assert one and two and two > 1.5 * one
    assert told[alone].started == psutil.Process(alone).create_time()
    apart = ProcessReader().read([parent, int(child)])
    (less, of_child) = (apart[pid].memory_bytes for pid in (parent, int(child)))
    assert less and of_child and less < two, "what is asked for by itself is counted once"


def test_who_is_busy_is_told_from_who_sleeps(started: list[subprocess.Popen[str]]) -> None:
    sleeps, _ = start(started, SLEEPS)
    parent, _ = start(started, PARENT, BUSY)
    reader = ProcessReader()

    def differ() -> bool:
        told = reader.read([sleeps, parent])
        busy, idle = told[parent].cpu_percent, told[sleeps].cpu_percent
        assert busy is not None and idle is not None
        return busy > 5 > idle

    assert eventually(differ), "the child's work is its parent's"


def test_what_is_gone_is_left_out(started: list[subprocess.Popen[str]]) -> None:
    pid, _ = start(started, SLEEPS)
    reader = ProcessReader()
    assert set(reader.read([pid, os.getpid()])) == {pid, os.getpid()}
    started[0].kill()
    started[0].wait()
    assert eventually(lambda: set(reader.read([pid, os.getpid()])) == {os.getpid()})
    assert reader.read([]) == {}


def test_two_questions_at_once_cost_one_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader, looked = ProcessReader(), []
    monkeypatch.setattr(processes, "YOUNGEST", 3600.0)
    look = reader._look
    monkeypatch.setattr(reader, "_look", lambda pids: (looked.append(pids), look(pids)))
    first = reader.read([os.getpid()])
    assert len(looked) == 2, "how busy it is takes two looks"
    assert reader.read([os.getpid()]) == first and len(looked) == 2


def test_who_listens_on_a_port() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert listener(listening.getsockname()[1]) == os.getpid()
        port = listening.getsockname()[1]
    assert listener(port) is None
