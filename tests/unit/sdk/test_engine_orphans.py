"""`kill -9` of whoever started an engine leaves no process of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

SCRIPT = Path(__file__).with_name("scripted_engine.py")
OWNER = """
import asyncio, sys
from pathlib import Path
from venom_core.sdk.engine import EngineCommand, EngineProcess

async def main(script, folder, words):
    command = EngineCommand("scripted", (script, *words), folder / "engine.log",
                            folder / "engine.pid", stop_timeout=1.0)
    await EngineProcess(command).start()
    print("ready", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:]))
"""


@pytest.mark.parametrize("words", [("family",), ("family", "deaf")])
def test_killed_owner_leaves_no_process(tmp_path: Path, words: tuple[str, ...]) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(SCRIPT), str(tmp_path), *words],
        stdout=subprocess.PIPE,
    ) as owner:
        assert owner.stdout is not None and owner.stdout.readline() == b"ready\n"
        processes = wait_for_family(owner.pid)
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
    left, deadline = processes, time.monotonic() + 15.0
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [process for process in left if lives(process)]
    for process in left:
        process.kill()
    assert left == []


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it went between the two looks
        return False


def wait_for_family(pid: int) -> list[psutil.Process]:
    """Launcher, engine, its child and its grandchild in a session of its own."""
    for _ in range(200):
        family = psutil.Process(pid).children(recursive=True)
        if len(family) == 4:
            return family
        time.sleep(0.05)
    raise AssertionError(f"expected four processes, found {len(family)}")
