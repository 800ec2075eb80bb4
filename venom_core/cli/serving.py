"""Running the server in this process: from a listening socket to the last engine's end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from socket import socket
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from venom_core._version import __version__
from venom_core.cli.connection.server_file import ServerRecord, publish, withdraw
from venom_core.cli.ending import Deadline, close_runner
from venom_core.cli.http_waits import BoundedWaits
from venom_core.cli.listening import local_url
from venom_core.cli.sd_notify import ServiceManager
from venom_core.composition import Venom
from venom_core.sdk.errors import VenomError
from venom_core.sdk.process_identity import ProcessIdentity

if TYPE_CHECKING:
    from fastapi import FastAPI

GRACE_SECONDS = 10
SETTLE_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 5
# A closed terminal ends the server like Ctrl-C: with its engines.
STOPPING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def settle_memory() -> None:
    """Begin to collect cycles, leaving out what start-up made: it stays to the end, and looking
    through it costs every request. ``venom serve`` starts with the collector off for that reason:
    while modules load there is nothing to collect, and looking is a fifth of the time."""
    gc.collect()
    gc.freeze()
    gc.enable()
    give_back_large_blocks()


#: Bytes; as glibc has it before it has seen a larger block freed.
LARGE_BLOCK = 128 * 1024
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as <malloc.h> has them


def give_back_large_blocks() -> None:
    """Let the C library give each large block back to the system when it is freed. By itself glibc
    keeps them from the first on: a body of 16 MB would stay with this process for good."""
    import ctypes

    with contextlib.suppress(AttributeError, OSError, TypeError):  # not glibc, which says nothing
        libc = ctypes.CDLL(None)
        for bound in (_MMAP_THRESHOLD, _TRIM_THRESHOLD):
            libc.mallopt(bound, LARGE_BLOCK)


class Server(uvicorn.Server):
    """Ends on a signal without raising it again, so that what is around it can clean up; a second
    Ctrl-C does not wait for answers under way.

    Args:
        on_ready: called on the event loop once the socket is served.
        manager: is told how the server is.
    """

    def __init__(
        self,
        app: FastAPI,
        venom: Venom,
        on_ready: Callable[[], None],
        manager: ServiceManager | None = None,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="auto",
                http=BoundedWaits,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._venom = venom
        self._deadline = Deadline()
        self._on_ready = on_ready
        self._manager = manager

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()
        if self._manager is not None and not self.should_exit:
            self._manager.begin(self._venom.profile.name, self._venom.runtime.readiness)
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, settle_memory)
        self._venom.warm_up.begin()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        self._venom.feed.close()  # who watches the feed would be waited for
        if self._manager is None:
            await super().shutdown(sockets)
            return
        self._manager.stopping()
        try:
            await super().shutdown(sockets)
        finally:
            await self._manager.end()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        known = [getattr(signal, name) for name in STOPPING if hasattr(signal, name)]
        # What is ignored already (nohup, a job in the background) is meant to be.
        numbers = [number for number in known if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self._stop) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.force_exit = self.should_exit and number == signal.SIGINT
        self.should_exit = True
        self._deadline.begin()


async def serve_until_stopped(
    server: Server, venom: Venom, listener: socket, *others: socket
) -> None:
    """Serve, known to the commands of this user through ``server.json``, until a signal comes.

    Raises ``VenomError`` where the application does not start.

    Args:
        listener: whose address ``server.json`` has.
    """
    identity = ProcessIdentity.own()
    paths = venom.settings.paths
    record = ServerRecord(
        identity.pid, identity.started, local_url(listener), venom.local_token, __version__
    )
    publish(paths, record)
    venom.services.url = record.url
    try:
        await server.serve([listener, *others])
    except SystemExit as error:  # uvicorn's way to say that the lifespan failed
        raise VenomError(
            "The server could not start.",
            code="start_failed",
            fix="The log has the details: venom logs",
        ) from error
    finally:
        withdraw(paths, identity.pid)
        for one in (listener, *others):
            one.close()


def run_loop(server: Server, venom: Venom, listener: socket, *others: socket) -> None:
    """Run :func:`serve_until_stopped` on the fastest event loop that is installed."""
    runner = asyncio.Runner(loop_factory=server.config.get_loop_factory())
    try:
        runner.run(serve_until_stopped(server, venom, listener, *others))
    finally:
        close_runner(runner)
