"""The way of a command to Venom: the running server, else this process.

Only what every command needs is imported here; either way brings its own when it is gone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from venom_core._version import __version__
from venom_core.cli.connection.lock import hold_data_directory, read_holder, stop_command
from venom_core.cli.connection.server_file import ServerRecord, answers, find_server
from venom_core.cli.terminal import note
from venom_core.sdk.errors import Conflict, StorageError
from venom_core.settings.paths import Paths

if TYPE_CHECKING:
    from venom_core.cli.connection.interface import Connection
    from venom_core.cli.connection.loop import LoopThread, Session

#: Seconds that a command which only reads waits for one that works here.
READER_PATIENCE = 0.3


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
    # Imported here: the event loop and what either way works with are too slow for a help.
    from venom_core.cli.connection.loop import LoopThread, Session

    with contextlib.ExitStack() as stack:
        loop = LoopThread()
        stack.callback(loop.close)
        if record is not None and url is not None:
            connection = _to_server(record)
        else:
            stack.enter_context(_directory(paths, command, writes))
            connection = _here(paths, loop)
        session = Session(connection, loop)
        stack.callback(lambda: session.run(session.connection.close()))
        yield session


def _to_server(record: ServerRecord) -> Connection:
    from venom_core.cli.connection.server import ServerClient

    return ServerClient(record.url, record.token)


def _here(paths: Paths, loop: LoopThread) -> Connection:
    from venom_core.cli.connection import local
    from venom_core.cli.logs import begin_logging

    begin_logging(paths)
    return loop.run(local.LocalVenom.open(local.make_venom()))


def usable_server(record: ServerRecord, *, writes: bool) -> str | None:
    """Return the URL of a server that answers and is of our version; None for one that does not
    answer where the command only reads."""
    version = answers(record)
    if version is None:
        message = f"The server at {record.url} (pid {record.pid}) is running but does not answer."
        if writes:
            raise Conflict(message, code="server_not_answering", fix=_start_anew(record))
        note(message)
        return None
    if version != __version__:
        raise Conflict(
            f"The running server is Venom {version}, this command is {__version__}.",
            code="server_version_mismatch",
            fix=_start_anew(record),
        )
    return record.url


def _start_anew(record: ServerRecord) -> str:
    return f"Stop it ({stop_command(record.pid)}), then start it again: venom serve"


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
