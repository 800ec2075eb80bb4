"""A child whose caller is cancelled while it is started is ended with all that it started."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from venom_core.sdk import child_process
from venom_core.sdk.child_process import child_environment, launch
from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.processes import living

#: It starts one of its own that would outlive it, and ignores the wish to end.
FAMILY = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
pathlib.Path(sys.argv[1]).write_text(f"{child.pid}\\n")
time.sleep(300)
"""


async def test_cancelled_at_its_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start, pids = asyncio.create_subprocess_exec, tmp_path / "pid"

    async def slow(*argv: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*argv, **options)
        assert await asyncio.to_thread(eventually, lambda: pids.exists() and pids.read_text())
        there.set()
        await asyncio.sleep(0.01)
        return process

    there = asyncio.Event()
    monkeypatch.setattr(asyncio, "create_subprocess_exec", slow)
    argv = (sys.executable, "-c", FAMILY, str(pids))
    task = asyncio.create_task(
        launch(argv, log_file=tmp_path / "log", env=child_environment(), grace=0.2)
    )
    await asyncio.wait_for(there.wait(), patience(30))
    child = psutil.Process(int(pids.read_text()))
    family = [child, *child.parents()[:1]]
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(eventually, lambda: not living(family))


async def test_what_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch) -> None:

    async def refused(*argv: Any, **options: Any) -> asyncio.subprocess.Process:
        await asyncio.sleep(0)
        raise FileNotFoundError("no such program")

    monkeypatch.setattr(child_process.asyncio, "create_subprocess_exec", refused)
    with pytest.raises(FileNotFoundError):
        await launch(("/nowhere/python",), log_file=None, env={})
    task = asyncio.create_task(launch(("/nowhere/python",), log_file=None, env={}))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
