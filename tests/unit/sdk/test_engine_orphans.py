"""`kill -9` of whoever started an engine leaves no process of it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from venom_core.testing.deadlines import eventually, patience
from venom_core.testing.processes import living

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
        owner.wait(patience(10))
    try:
        assert eventually(lambda: not living(processes)), living(processes)
    finally:
        for process in living(processes):
            process.kill()


def wait_for_family(pid: int) -> list[psutil.Process]:
    """Launcher, engine, its child and its grandchild in a session of its own."""
    owner = psutil.Process(pid)
    assert eventually(lambda: len(owner.children(recursive=True)) == 4), owner.children(True)
    return owner.children(recursive=True)
