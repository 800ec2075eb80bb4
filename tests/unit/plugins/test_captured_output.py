from __future__ import annotations

import io
import os
import subprocess
import sys
import threading

import pytest

from venom_core.plugins import captured_output
from venom_core.testing.deadlines import patience


@pytest.fixture(autouse=True)
def _no_other_capture(monkeypatch):
    monkeypatch.setattr(captured_output, "_captured", {})


def test_only_the_capturing_thread_is_captured_and_streams_come_back(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with captured_output.capture() as mine:
        print("plugin")
        sys.stderr.write("warned")
        other = threading.Thread(target=print, args=("ours",))
        other.start()
        other.join()
    assert mine.text == "plugin\nwarned"
    assert out.getvalue() == "ours\n"
    assert (sys.stdout, sys.stderr) == (out, err)


def test_stream_that_was_replaced_meanwhile_stays(monkeypatch):
    theirs = io.StringIO()
    with captured_output.capture():
        monkeypatch.setattr(sys, "stdout", theirs)
    assert sys.stdout is theirs


def test_capture_while_another_hangs_and_the_stream_was_replaced(monkeypatch):
    captured_output._captured[-1] = captured_output.Captured()
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    with captured_output.capture() as mine:
        print("plugin")
    print("ours")
    assert mine.text == "plugin\n"
    assert theirs.getvalue() == "ours\n"


def test_endless_printing_takes_bounded_memory():
    with captured_output.capture() as mine:
        for _ in range(100):
            print("x" * 10_000)
    assert len(mine.text) == captured_output.LONGEST_KEPT


def test_process_without_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with captured_output.capture() as mine:
        print("plugin")
        sys.stdout.flush()
    assert mine.text == "plugin\n"
    assert sys.stdout is None


#: The stream is exchanged in another thread between the write and the flush of one ``print``.
EXCHANGED = """
import sys, threading
from venom_core.cli.output import safe_output
from venom_core.plugins.captured_output import capture

begun, end, ended = threading.Event(), threading.Event(), threading.Event()

class Stream:
    def write(self, text):
        end.set()
        ended.wait()
        return len(text)

    def flush(self):
        pass

def exchange():
    with {block}():
        begun.set()
        end.wait()
    ended.set()

sys.stdout = Stream()
thread = threading.Thread(target=exchange)
thread.start()
begun.wait()
print("x", flush=True)
thread.join()
sys.__stdout__.write("alive")
"""


@pytest.mark.parametrize("block", ["capture", "safe_output"])
def test_a_print_outlives_the_stream_that_it_began_on(block: str) -> None:
    """With the allocator of the debugger, whatever is freed is unusable at once."""
    ended = subprocess.run(
        [sys.executable, "-c", EXCHANGED.format(block=block)],
        env={**os.environ, "PYTHONMALLOC": "debug"}, capture_output=True, text=True, check=False,
        timeout=patience(60),
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "alive"), ended.stderr
