"""The end of a server's process, with whatever keeps it from ending."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from venom_core.testing.deadlines import patience

HEAD = """
import asyncio, logging, os, signal, sys, threading, time
from venom_core.cli import ending
logging.basicConfig(stream=sys.stdout, format="%(message)s")
ending.LEFTOVER_SECONDS = 0.05
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end, in a process that it may end."""
    command = [sys.executable, "-c", HEAD + textwrap.dedent(script)]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=patience(20), check=False
        )
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"the process goes on; it said {late.stdout!r}")


#: What keeps a process from ending, once the deadline has begun.
KEEPS = {
    "a blocked main thread": "threading.Event().wait()",
    "a blocked event loop": """
async def main():
    time.sleep(1e6)
asyncio.run(main())
""",
    "a thread": "threading.Thread(target=lambda: time.sleep(1e6), name='stays').start()",
    "a task that swallows": """
async def main():
    while True:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            pass
asyncio.run(main())
""",
}


@pytest.mark.parametrize("keeps", KEEPS)
def test_a_process_ends_at_its_deadline(keeps: str) -> None:
    done = run("ending.DEADLINE_SECONDS = 0.1\nending.Deadline().begin()\n" + KEEPS[keeps])
    assert done.returncode == 1
    assert "did not end within 0.1 s and is ended now" in done.stdout
    assert keeps != "a thread" or "stays" in done.stdout


def test_a_signal_begins_the_deadline_of_a_blocked_loop() -> None:
    done = run("""
        ending.DEADLINE_SECONDS = 0.1
        deadline = ending.Deadline()
        signal.signal(signal.SIGTERM, lambda *_: deadline.begin())
        async def main():
            threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGTERM)).start()
            time.sleep(1e6)
        asyncio.run(main())
    """)
    assert (done.returncode, "is ended now" in done.stdout) == (1, True)


def test_a_deadline_that_has_not_begun_ends_nothing() -> None:
    done = run("ending.DEADLINE_SECONDS = 0\nending.Deadline()\nprint('ended by itself')")
    assert (done.returncode, done.stdout) == (0, "ended by itself\n")


def test_the_loop_is_closed_without_a_task_that_goes_on() -> None:
    done = run("""
        async def stay():
            while True:
                try:
                    await asyncio.sleep(1e6)
                except asyncio.CancelledError:
                    pass
        async def main():
            asyncio.create_task(stay(), name="stays")
            await asyncio.sleep(0)
        runner = asyncio.Runner()
        runner.run(main())
        ending.close_runner(runner)
        print("closed", runner.get_loop().is_closed())
        sys.stdout.flush(); os._exit(0)
    """)
    assert done.stdout.split("\n")[:2] == [
        "the server ends without tasks that do not: stays", "closed True"
    ], done.stdout + done.stderr  # fmt: skip


def test_tasks_and_generators_that_end_are_waited_for() -> None:
    done = run("""
        async def numbers():
            try:
                yield 1
            finally:
                print("generator ended")
        async def tidy(kept):
            kept.append(one := numbers())
            await anext(one)
            try:
                await asyncio.sleep(1e6)
            finally:
                print("task ended")
        kept = []
        async def main():
            kept.append(asyncio.create_task(tidy(kept)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        runner = asyncio.Runner()
        runner.run(main())
        ending.close_runner(runner)
    """)
    assert (done.returncode, done.stdout) == (0, "task ended\ngenerator ended\n"), done.stderr
