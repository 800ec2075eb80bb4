"""The end of a server's process, whatever plugins do.

A task that goes on after it was cancelled would keep the event loop from being closed, a thread
that never returns would keep the interpreter from ending, and a plugin that blocks the loop would
keep the signal from being heard.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from asyncio import Runner
from collections.abc import Sequence

logger = logging.getLogger(__name__)

#: Seconds that tasks have to end when they are cancelled at last.
LEFTOVER_SECONDS = 5.0
#: Seconds from the signal to the end of the process: for the answers under way, for the plugins,
#: for the tasks that are left, and some to spare.
DEADLINE_SECONDS = 45.0


class Deadline:
    """Ends the process ``DEADLINE_SECONDS`` after :meth:`begin`, if it has not ended by then."""

    def __init__(self) -> None:
        self._begun = threading.Event()
        threading.Thread(target=self._wait, name="deadline", daemon=True).start()

    def begin(self) -> None:
        """Begin to count; may be called by a signal's handler."""
        self._begun.set()

    def _wait(self) -> None:
        self._begun.wait()
        threading.Event().wait(DEADLINE_SECONDS)
        names = ", ".join(sorted(thread.name for thread in threading.enumerate()))
        logger.error(
            "the server did not end within %g s and is ended now; its threads: %s",
            DEADLINE_SECONDS, names,
        )  # fmt: skip
        os._exit(1)


def close_runner(runner: Runner) -> None:
    """Cancel what still runs and close the loop, without waiting for a task that goes on all the
    same."""
    left = runner.run(_end_tasks())
    if left:
        logger.warning("the server ends without tasks that do not: %s", ", ".join(left))
        runner.get_loop().close()
    else:
        runner.close()


async def _end_tasks() -> Sequence[str]:
    """Cancel every other task; return the names of those that have not ended in their time."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if not tasks:
        return ()
    _, pending = await asyncio.wait(tasks, timeout=LEFTOVER_SECONDS)
    return sorted(task.get_name() for task in pending)
