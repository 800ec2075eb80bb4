"""An event loop in a thread of its own, and the connection of one command that lives on it.

An engine is watched and a stream is closed at once while the main thread waits for the keyboard,
and Ctrl-C reaches the main thread, which cancels what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from venom_core.cli.connection.interface import Connection

T = TypeVar("T")

#: Seconds that cancelled work gets to close what it opened: the core's own bound for closing.
CLOSE_TIMEOUT = 25.0


class LoopThread:
    """An event loop in a daemon thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="venom")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return its result. On Ctrl-C the work is cancelled, and awaited, before that goes on."""
        ended = threading.Event()
        # There before the work begins: an interrupt may come at any instruction.
        begun: list[asyncio.Task[T]] = []

        def begin() -> None:
            task = self._loop.create_task(work)
            begun.append(task)
            task.add_done_callback(finish)

        def finish(task: asyncio.Task[T]) -> None:
            if not task.cancelled():
                task.exception()  # read, so that no interrupted work complains of not being asked
            ended.set()

        def cancel() -> None:
            if begun:
                begun[0].cancel()
            else:
                work.close()
                ended.set()

        try:
            self._loop.call_soon_threadsafe(begin)
            # A wait without a timeout could not be interrupted on Windows.
            while not ended.wait(0.5) and self._thread.is_alive():
                pass
        except KeyboardInterrupt:
            self._loop.call_soon_threadsafe(cancel)
            ended.wait(CLOSE_TIMEOUT)
            raise
        if not begun:
            work.close()
            raise RuntimeError("The event loop has ended.")
        if begun[0].cancelled():
            raise CancelledError
        return begun[0].result()

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_TIMEOUT)
        if not self._thread.is_alive():
            self._loop.close()


class Session:
    """A connection and its loop. ``connection`` may be replaced by a command that changed what
    the connection stands on."""

    def __init__(self, connection: Connection, loop: LoopThread) -> None:
        self.connection = connection
        self._loop = loop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work on the connection's loop and wait for it."""
        return self._loop.run(work)

    def reopen_here(self) -> None:
        """Close the Venom of this process and make a new one, which reads the settings anew."""
        from venom_core.cli.connection import local

        self.run(self.connection.close())
        self.connection = self.run(local.LocalVenom.open(local.make_venom()))
