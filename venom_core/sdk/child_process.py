"""Python programs that run under :mod:`venom_core.sdk.engine_launcher` and end with Venom."""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from pathlib import Path
from typing import Any

from venom_core.sdk import engine_launcher
from venom_core.sdk.engine_processes import end_group, kill_all, list_tree
from venom_core.sdk.masking import is_secret_name


def child_environment(needed: Collection[str] = ()) -> dict[str, str]:
    """Return this process's environment for a child: without what is Venom's own, and without every
    variable that is named like a secret (``HF_TOKEN``, ``OPENAI_API_KEY``).

    Args:
        needed: names that the child gets all the same.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name in needed or not (name.startswith("VENOM_") or is_secret_name(name))
    }


async def launch(
    argv: tuple[str, ...],
    *,
    log_file: Path | None,
    env: Mapping[str, str],
    grace: float = 5.0,
    log_limit: int = 4 * 1024 * 1024,
) -> Process:
    """Run a Python program under the launcher: it ends with Venom, and with its whole tree.

    Args:
        argv: an interpreter, and what follows it; no secrets.
        log_file: gets all that the program prints; its folder exists and is where it runs. With
            None the program runs where we do, and the process's ``stdout`` has what it prints.
        env: its whole environment; :func:`child_environment` and what is added to it.
        grace: seconds between SIGTERM and SIGKILL.
        log_limit: bytes that the log may take on the disk.

    Raises ``OSError`` where the interpreter cannot be run. Close the process's ``stdin``, or
    terminate it, to end the program.
    """
    python, *args = argv
    starting = asyncio.create_subprocess_exec(
        python, "-I", "-S", engine_launcher.__file__,
        "-" if log_file is None else str(log_file), str(log_limit), str(grace), *args,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if log_file is None else asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=None if log_file is None else log_file.parent,
        env=env,
        start_new_session=True,
    )  # fmt: skip
    return await started(starting, lambda process: finish(process, grace))


async def started(
    starting: Coroutine[Any, Any, Process], end: Callable[[Process], Awaitable[object]]
) -> Process:
    """Return a process once it is started; where the caller is cancelled meanwhile, end it.

    asyncio would kill the one process that it has started by then, and not what that one started.

    Args:
        starting: ``asyncio.create_subprocess_exec(...)``, whose errors are raised.
        end: ends the process with all that it started.
    """
    task = asyncio.ensure_future(starting)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.shield(_end_started(task, end))
        raise


async def _end_started(
    starting: asyncio.Future[Process], end: Callable[[Process], Awaitable[object]]
) -> None:
    with contextlib.suppress(OSError):
        await end(await starting)


async def finish(process: Process, grace: float) -> None:
    """End what :func:`launch` started, with its whole tree, and wait until it is gone."""
    tree = await asyncio.to_thread(list_tree, process.pid)
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    # The launcher sends SIGKILL after the grace; it gets a second more to see its effect.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), grace + 1.0)
    await asyncio.to_thread(kill_all, tree)
    await asyncio.to_thread(end_group, process.pid)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 5.0)
