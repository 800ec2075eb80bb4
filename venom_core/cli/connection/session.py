"""One command's connection, with the event loop that it lives on.

The loop runs in a thread of its own: an engine is watched and a stream is closed at once while the
main thread waits for the keyboard, and Ctrl-C reaches the main thread, which cancels what runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from venom_core._version import __version__
from venom_core.cli.connection import local
from venom_core.cli.connection.interface import Connection
from venom_core.cli.connection.lock import hold_data_directory, read_holder
from venom_core.cli.connection.server import ServerClient
from venom_core.cli.connection.server_file import ServerRecord, answers, find_server
from venom_core.cli.logs import begin_logging
from venom_core.cli.terminal import note
from venom_core.sdk.errors import Conflict, StorageError
from venom_core.settings.paths import Paths

T = TypeVar("T")

#: Seconds that cancelled work gets to close what it opened: the core's own bound for closing.
CLOSE_TIMEOUT = 25.0
#: Seconds that a command which only reads waits for one that works here.
READER_PATIENCE = 0.3


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
        self.run(self.connection.close())
        self.connection = self.run(local.LocalVenom.open(local.make_venom()))


@contextlib.contextmanager
def connected(command: str, *, writes: bool) -> Iterator[Session]:
    """Reach the running server, else work in this process.

    Args:
        command: as typed, shown to whoever meets our lock: ``venom run``.
        writes: the command runs engines or changes something, so it needs the data directory for
            itself. One that only reads goes on beside another process, and says so.

    Raises:
        Conflict: another process works in the data directory, or the server is of another version
            or does not answer.
    """
    paths = Paths.resolve()
    record = find_server(paths)
    url = usable_server(record, writes=writes) if record is not None else None
    with contextlib.ExitStack() as stack:
        loop = LoopThread()
        stack.callback(loop.close)
        if record is not None and url is not None:
            connection: Connection = ServerClient(record.url, record.token)
        else:
            stack.enter_context(_directory(paths, command, writes))
            begin_logging(paths)
            connection = loop.run(local.LocalVenom.open(local.make_venom()))
        session = Session(connection, loop)
        stack.callback(lambda: session.run(session.connection.close()))
        yield session


def usable_server(record: ServerRecord, *, writes: bool) -> str | None:
    """Return the URL of a server that answers and is of our version; None for one that does not
    answer where the command only reads."""
    version = answers(record)
    if version is None:
        message = f"The server at {record.url} (pid {record.pid}) is running but does not answer."
        if writes:
            fix = f"Stop it (kill {record.pid}), then start it again: venom serve"
            raise Conflict(message, code="server_not_answering", fix=fix)
        note(message)
        return None
    if version != __version__:
        raise Conflict(
            f"The running server is Venom {version}, this command is {__version__}.",
            code="server_version_mismatch",
            fix=f"Stop it (kill {record.pid}), then start it again: venom serve",
        )
    return record.url


@contextlib.contextmanager
def _directory(paths: Paths, command: str, writes: bool) -> Iterator[None]:
    if writes:
        with hold_data_directory(paths, command):
            yield
        return
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(hold_data_directory(paths, command, READER_PATIENCE))
        except Conflict:
            holder = read_holder(paths) or "Another process"
            note(f"{holder} works here too; models that it has loaded are not shown.")
        except StorageError as error:
            note(error.message)
        yield
