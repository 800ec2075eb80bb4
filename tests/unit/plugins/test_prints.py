from __future__ import annotations

import io
import sys
import threading

import pytest

from venom_core.plugins import prints


@pytest.fixture(autouse=True)
def _no_other_capture(monkeypatch):
    monkeypatch.setattr(prints, "_captured", {})


def test_only_the_capturing_thread_is_captured_and_streams_come_back(monkeypatch):
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    with prints.capture() as mine:
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
    with prints.capture():
        monkeypatch.setattr(sys, "stdout", theirs)
    assert sys.stdout is theirs


def test_capture_while_another_hangs_and_the_stream_was_replaced(monkeypatch):
    prints._captured[-1] = prints.Captured()
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    with prints.capture() as mine:
        print("plugin")
    print("ours")
    assert mine.text == "plugin\n"
    assert theirs.getvalue() == "ours\n"


def test_endless_printing_takes_bounded_memory():
    with prints.capture() as mine:
        for _ in range(100):
            print("x" * 10_000)
    assert len(mine.text) == prints.LONGEST_KEPT


def test_process_without_streams(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with prints.capture() as mine:
        print("plugin")
        sys.stdout.flush()
    assert mine.text == "plugin\n"
    assert sys.stdout is None
