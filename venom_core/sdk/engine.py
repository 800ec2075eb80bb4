"""Supervision of a local engine: a child process that serves HTTP on loopback.

The engine runs under :mod:`venom_core.sdk.engine_launcher`, in its own session, with its own
interpreter. It ends when it is stopped, when Venom ends and when Venom is killed; a file with its
process ids lets the next start of Venom end what was left all the same.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Literal

from venom_core.sdk.child_process import child_environment, finish, launch
from venom_core.sdk.disk import storage_errors
from venom_core.sdk.engine_processes import (
    end_group,
    forget,
    listens,
    read_tail,
    reap,
    reap_orphans,
    tree_memory,
    write_pid_file,
)
from venom_core.sdk.errors import EngineMissing, StorageError, Unavailable, VenomError
from venom_core.sdk.masking import forget_secret, keep_secret
from venom_core.sdk.programs import NOT_RUN
from venom_core.sdk.provider import EngineStatus
from venom_core.sdk.utc import utc_text

__all__ = ["EngineAddress", "EngineCommand", "EngineProcess", "reap_orphans"]

logger = logging.getLogger(__name__)

HOST = "127.0.0.1"
PORT_VARIABLE = "VENOM_ENGINE_PORT"
KEY_VARIABLE = "VENOM_ENGINE_KEY"
MAX_BACKOFF = 60.0
FIRST_POLL, LAST_POLL = 0.02, 0.25
CONFIRM_TIMEOUT = 5.0

State = Literal["stopped", "starting", "running", "failed"]


EXPLAINING_LINES = 60
#: Lines of a log that tell how far a start is, and those that a status shows.
PROGRESS_LINES, STATUS_LINES = 200, 20
#: Exit codes of a process that the system ended: by signal, and as a shell tells it.
KILLED = (-9, 137)


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """The command that starts an engine, and how it is watched.

    ``{port}`` in ``args``, ``{port}`` and ``{key}`` in the values of ``env`` are replaced at each
    start; the engine finds both in ``VENOM_ENGINE_PORT`` and ``VENOM_ENGINE_KEY`` as well. A key
    never belongs in ``args``: every user of the machine can read a command line.

    Args:
        name: shown in messages and statuses.
        args: what follows the interpreter: ``("-m", "acme.engine")`` or a script and its arguments.
        log_file: gets what the engine prints; the run before is kept beside it as ``.1``.
        pid_file: remembers the processes while the engine runs.
        model: the reference that it serves, shown in statuses.
        python: the engine's interpreter, 3.9 or newer; by default Venom's own.
        env: added to the environment, from which all ``VENOM_*`` variables are removed and those
            named like a secret (``HF_TOKEN``): an engine that needs one names it here.
        ready_path: answers 200 when the engine can serve.
        ready_timeout: seconds from the start to that answer.
        stop_timeout: seconds between SIGTERM and SIGKILL.
        max_restarts: restarts after crashes within ``restart_window`` seconds; then it is refused.
        backoff: seconds before the second restart in a row, doubled for each further one; the
            first is made at once.
        log_limit: bytes that the log may take on the disk.
        explain: returns the refusal that the last lines of an engine which ended while it started
            stand for, None where they say nothing.
        explaining_lines: how many of them it gets.
        progress: returns how far an engine that starts is, of the last lines of its log, in a few
            words for people ("loading the weights: 50%"); None where they do not tell.
        program: the path of a program that is the engine, in place of ``python``: it gets ``args``.
        port: where on loopback it is to listen; a free port at each start where not set.
    """

    name: str
    args: tuple[str, ...]
    log_file: Path
    pid_file: Path
    model: str | None = None
    python: str = sys.executable
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    ready_path: str = "/health"
    ready_timeout: float = 120.0
    stop_timeout: float = 5.0
    max_restarts: int = 3
    restart_window: float = 300.0
    backoff: float = 1.0
    log_limit: int = 4 * 1024 * 1024
    explain: Callable[[Sequence[str]], VenomError | None] | None = None
    explaining_lines: int = EXPLAINING_LINES
    progress: Callable[[Sequence[str]], str | None] | None = None
    program: str | None = None
    port: int | None = None


@dataclass(frozen=True, slots=True)
class EngineAddress:
    """The address of a running engine; send the key as ``Authorization: Bearer``."""

    base_url: str
    port: int
    key: str = field(repr=False)


@dataclass(slots=True)
class _Run:
    """One life of the engine's process."""

    process: asyncio.subprocess.Process
    address: EngineAddress
    began: float
    started_at: str
    ready_seconds: float | None = None
    watcher: asyncio.Task[None] | None = None


class EngineProcess:
    """One engine, used from one event loop.

    A crash is noticed at once (``on_exit`` gets the exit code) and mended at the next
    :meth:`start`, within the budget of restarts and with its back-off.
    """

    def __init__(
        self, command: EngineCommand, *, on_exit: Callable[[int], None] | None = None
    ) -> None:
        self.command = command
        self.on_exit = on_exit
        self.restarts = 0
        self._state: State = "stopped"
        self._run: _Run | None = None
        self._starting: asyncio.Task[EngineAddress] | None = None
        self._crashes: list[float] = []
        #: Why it did not start last, where its own words tell.
        self._why: VenomError | None = None
        self._stop_lock = asyncio.Lock()

    @property
    def state(self) -> State:
        """Return what became of it last."""
        return self._state

    @property
    def running(self) -> bool:
        """Return whether it can be asked."""
        return self._state == "running"

    @property
    def address(self) -> EngineAddress | None:
        """Return where it can be asked; None where it does not run."""
        return self._run.address if self._run is not None and self.running else None

    async def start(self) -> EngineAddress:
        """Return the address of the engine, started where it does not run.

        Callers at the same time wait for one start; a caller that goes away does not end it.

        Raises:
            EngineMissing: the interpreter does not exist.
            Unavailable: ``engine_exited`` and ``engine_not_ready`` at a failed start,
                ``engine_crashed`` where the budget of restarts is used up.
        """
        if (address := self.address) is not None:
            return address
        if self._starting is None:
            self._starting = asyncio.create_task(self._start(), name=f"start {self.command.name}")
            self._starting.add_done_callback(self._started)
        task = self._starting
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise Unavailable(
                f"The engine {self.command.name} was stopped while it started.",
                code="engine_stopped",
                fix="Try again.",
            ) from None

    def _started(self, task: asyncio.Task[EngineAddress]) -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()  # seen: whoever still waits gets it, nobody has to

    async def stop(self) -> None:
        """End the engine: SIGTERM, then SIGKILL of its whole tree. Safe to call at any time."""
        async with self._stop_lock:
            if self._starting is not None:
                self._starting.cancel()
                await asyncio.wait([self._starting])
            run, self._run = self._run, None
            self._state = "stopped"
            if run is not None:
                await self._end(run)

    async def confirm(self) -> bool:
        """Return whether the engine still runs, looked at anew; ask after a connection to it
        failed.

        A killed engine closes its connections before its end is reported: a request that comes in
        between would go to nobody.
        """
        run = self._run
        if run is None or run.watcher is None:
            return False
        if not await is_ready(run.address, self.command.ready_path, run.process.pid):
            await asyncio.wait([run.watcher], timeout=CONFIRM_TIMEOUT)
        return self.running

    async def restart(self) -> EngineAddress:
        """Stop and start by the user's wish; earlier crashes are forgotten."""
        await self.stop()
        self._crashes.clear()
        self._why = None
        return await self.start()

    async def status(self) -> EngineStatus:
        """Return the present figures; memory is what the whole process tree holds resident, in
        bytes."""
        run = self._run
        pid = run.process.pid if run is not None else None
        lines = await self.log_tail(PROGRESS_LINES)
        return EngineStatus(
            name=self.command.name,
            state=self._state,
            model=self.command.model,
            pid=pid,
            port=run.address.port if run is not None else None,
            memory_bytes=None if pid is None else await asyncio.to_thread(tree_memory, pid),
            started_at=run.started_at if run is not None else None,
            ready_seconds=run.ready_seconds if run is not None else None,
            restarts=self.restarts,
            log_tail=lines[-STATUS_LINES:],
            progress=self._progress(lines),
        )

    def _progress(self, lines: Sequence[str]) -> str | None:
        # Before its process is there, the log is that of the run before.
        if self._state != "starting" or self._run is None or self.command.progress is None:
            return None
        return self.command.progress(lines)

    @property
    def _read_log(self) -> str:
        return f"Read its log: venom logs {quote(self.command.log_file.stem)}."

    async def log_tail(self, lines: int) -> tuple[str, ...]:
        """Return the last lines of the present run's log, for its owner: they may name paths."""
        return await asyncio.to_thread(read_tail, self.command.log_file, lines)

    # -- one start ---------------------------------------------------------------------------

    async def _start(self) -> EngineAddress:
        command = self.command
        await self._await_turn()
        await asyncio.to_thread(reap, command.pid_file)
        self._state = "starting"
        run = None
        try:
            run = self._run = await self._spawn()
            await self._until_ready(run)
        except BaseException as error:
            self._run, self._state = None, "failed"
            if isinstance(error, VenomError):
                self._crashes.append(time.monotonic())
            if run is not None:
                await asyncio.shield(self._end(run))
            raise
        run.ready_seconds = round(time.monotonic() - run.began, 3)
        await asyncio.to_thread(write_pid_file, command.pid_file, run.process.pid)
        self._state = "running"
        run.watcher = asyncio.create_task(self._wait_exit(run), name=f"watch {command.name}")
        return run.address

    async def _await_turn(self) -> None:
        """Refuse or wait where the engine crashed lately."""
        now = time.monotonic()
        recent = [at for at in self._crashes if now - at < self.command.restart_window]
        self._crashes = recent
        if not recent:
            return
        if len(recent) > self.command.max_restarts:
            wait = round(self.command.restart_window - (now - recent[0]), 1)
            if self._why is not None:
                raise self._why.again(retry_after=wait)
            raise Unavailable(
                f"The engine {self.command.name} failed {len(recent)} times in a row and is not "
                "started again for a while.",
                code="engine_crashed",
                fix=f"{self._read_log} A model too large for the memory does this.",
                retry_after=wait,
            )
        self.restarts += 1
        pause = self.command.backoff * 2.0 ** (len(recent) - 2) if len(recent) > 1 else 0.0
        await asyncio.sleep(max(0.0, recent[-1] + min(pause, MAX_BACKOFF) - now))

    async def _spawn(self) -> _Run:
        command = self.command
        port = await asyncio.to_thread(free_port) if command.port is None else command.port
        key = secrets.token_urlsafe(32)
        keep_secret(key)
        await asyncio.to_thread(make_folders, command)
        args = [arg.replace("{port}", str(port)) for arg in command.args]
        if command.program is not None:
            args = ["--", command.program, *args]
        began, started_at = time.monotonic(), utc_text(precision="seconds", suffix="+00:00")
        try:
            process = await launch(
                (command.python, *args),
                log_file=command.log_file,
                env=engine_environment(command.env, port, key),
                grace=command.stop_timeout,
                log_limit=command.log_limit,
            )
        except OSError as error:
            raise _no_interpreter(command) from error
        await asyncio.to_thread(write_pid_file, command.pid_file, process.pid)
        address = EngineAddress(f"http://{HOST}:{port}", port, key)
        return _Run(process, address, began, started_at)

    async def _until_ready(self, run: _Run) -> None:
        """Ask until the engine answers; notice at once when it ends instead."""
        exited = asyncio.ensure_future(run.process.wait())
        try:
            async with asyncio.timeout(self.command.ready_timeout):
                pause = FIRST_POLL
                while not await is_ready(run.address, self.command.ready_path, run.process.pid):
                    await asyncio.wait([exited], timeout=pause)
                    if exited.done():
                        raise await self._exited_early(exited.result())
                    pause = min(pause * 1.5, LAST_POLL)
        except TimeoutError as error:
            await self._log_why("did not get ready")
            raise Unavailable(
                f"The engine {self.command.name} was not ready within "
                f"{self.command.ready_timeout:g} seconds.",
                code="engine_not_ready",
                fix="Try again when the machine is less busy, or choose a smaller model.",
            ) from error
        finally:
            exited.cancel()

    async def _exited_early(self, code: int) -> VenomError:
        await self._log_why(f"ended with exit code {code} before it was ready")
        if self.command.explain is not None:
            self._why = self.command.explain(await self.log_tail(self.command.explaining_lines))
            if self._why is not None:
                return self._why.again()
        if code in NOT_RUN:
            return _no_interpreter(self.command)
        if code in KILLED:
            return Unavailable(
                f"The engine {self.command.name} was killed while it started.",
                code="out_of_memory",
                fix="Most often the memory was too little: choose a smaller model, or stop one: "
                "venom ps, venom stop NAME",
            )
        return Unavailable(
            f"The engine {self.command.name} ended while it started (exit code {code}).",
            code="engine_exited",
            fix=self._read_log
            if self.command.program is not None
            else f"{self._read_log} A damaged model file or too little memory does this.",
        )

    async def _log_why(self, what: str) -> None:
        lines = await self.log_tail(15)
        logger.warning("engine %s %s; its last lines:\n%s", self.command.name, what,
                       "\n".join(lines) or "(nothing)")  # fmt: skip

    # -- the end -----------------------------------------------------------------------------

    async def _wait_exit(self, run: _Run) -> None:
        code = await run.process.wait()
        if self._run is not run:
            return
        self._run, self._state = None, "failed"
        self._crashes.append(time.monotonic())
        await self._log_why(f"ended with exit code {code}")
        forget_secret(run.address.key)
        await asyncio.to_thread(end_group, run.process.pid)
        await asyncio.to_thread(forget, self.command.pid_file)
        if self.on_exit is not None:
            self.on_exit(code)

    async def _end(self, run: _Run) -> None:
        await finish(run.process, self.command.stop_timeout)
        forget_secret(run.address.key)
        if run.watcher is not None and run.watcher is not asyncio.current_task():
            run.watcher.cancel()
        await asyncio.to_thread(forget, self.command.pid_file)


def _no_interpreter(command: EngineCommand) -> EngineMissing:
    if command.program is not None:
        return EngineMissing(
            f"The program of the engine {command.name} cannot be run.",
            fix="Correct the provider's setting that names it, or install it again.",
        )
    return EngineMissing(
        f"The Python interpreter for the engine {command.name} cannot be run.",
        fix="Correct the provider's python setting, or install its engine again.",
    )


def engine_environment(extra: Mapping[str, str], port: int, key: str) -> dict[str, str]:
    """Return the engine's environment: ours without what is Venom's own and without secrets, and
    what the command adds."""
    env = child_environment() | {
        name: value.replace("{port}", str(port)).replace("{key}", key)
        for name, value in extra.items()
    }
    # The log is read while the engine runs, and its folder is no place to import from.
    return env | {
        PORT_VARIABLE: str(port),
        KEY_VARIABLE: key,
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",
    }


def make_folders(command: EngineCommand) -> None:
    """Make the folders of the log and of the pid file."""
    no_place = StorageError(
        f"There is no place to write the log of the engine {command.name}.",
        code="store_not_writable",
        fix="Make Venom's home folder writable, or set VENOM_HOME to one that is.",
    )
    with storage_errors(lambda _: no_place):
        for path in (command.log_file, command.pid_file):
            path.parent.mkdir(parents=True, exist_ok=True)


def free_port() -> int:
    """Return a loopback port that nobody holds at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


async def is_ready(address: EngineAddress, path: str, pid: int) -> bool:
    """Return whether the engine answers 200, and the answer comes from below process ``pid``."""
    try:
        async with asyncio.timeout(5.0):
            status = await _get_status(address, path)
    except (OSError, TimeoutError, ValueError, EOFError):
        return False
    # Between our look for a free port and the engine's bind somebody else may have taken it.
    return status == 200 and await asyncio.to_thread(listens, pid, address.port)


async def _get_status(address: EngineAddress, path: str) -> int:
    reader, writer = await asyncio.open_connection(HOST, address.port)
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {HOST}:{address.port}\r\n"
            f"Authorization: Bearer {address.key}\r\nConnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        line = await reader.readuntil(b"\r\n")
        return int(line.split(b" ", 2)[1])
    except (asyncio.LimitOverrunError, IndexError) as error:
        raise ValueError("no HTTP answer") from error
    finally:
        writer.close()
