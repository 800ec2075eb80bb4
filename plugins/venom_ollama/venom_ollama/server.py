"""The Ollama that Venom starts: where one may be started, and while it is wanted.

It listens where the settings say that Ollama is, so that other programs find it too. It is ours
while it runs below our launcher, and whatever else answers at that address is somebody else's.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from venom_core.sdk.engine import EngineCommand, EngineProcess
from venom_core.sdk.engine_processes import reap_orphans
from venom_core.sdk.errors import Conflict, EngineMissing, Unavailable, VenomError
from venom_core.sdk.programs import look_for
from venom_core.sdk.provider import EngineStatus
from venom_core.sdk.spec import SettingValue
from venom_ollama.address import Address
from venom_ollama.profiles import Setup

#: Who may start it: the first need of it, a person's word alone, or nobody.
Start = Literal["auto", "asked", "never"]
NAME = "ollama"
#: It looks at the graphics cards before it listens.
READY_SECONDS = 60.0
STOP_SECONDS = 10.0
_TAKEN = re.compile(r"bind: address already in use")


def program_of(settings: Mapping[str, SettingValue]) -> str:
    """Return the name or the path of Ollama's program."""
    return str(settings.get("program") or NAME)


class OllamaServer:
    """Starts and stops Ollama's own server.

    Args:
        address: where the settings say that it is.
        folder: for its log and the record of its processes.
        answers: returns whether an Ollama answers now, whoever started it.
        started: called when one of ours begins to answer: what was known of the one before is void.
    """

    def __init__(
        self,
        address: Address,
        settings: Mapping[str, SettingValue],
        setup: Setup,
        folder: Path,
        answers: Callable[[], Awaitable[bool]],
        started: Callable[[], None],
    ) -> None:
        self._address = address
        self._start: Start = settings.get("start") or "asked"  # type: ignore[assignment]
        self._program = program_of(settings)
        self._setup = setup
        self._folder = folder
        self._answers = answers
        self._started = started
        #: Whether it is brought back when nothing answers any more.
        self._wanted = self._start == "auto"
        self._process: EngineProcess | None = None
        self._changing, self._finding = asyncio.Lock(), asyncio.Lock()

    @property
    def is_starting(self) -> bool:
        """Return whether one of ours is on its way."""
        return self._process is not None and self._process.state == "starting"

    @property
    def is_ours(self) -> bool:
        """Return whether the Ollama that runs is one that Venom started."""
        return self._process is not None and self._process.running

    async def open(self) -> None:
        """End what a Venom that was killed left."""
        await asyncio.to_thread(reap_orphans, self._folder)

    async def close(self) -> None:
        """End ours."""
        self._wanted = False
        if self._process is not None:
            await self._process.stop()

    async def statuses(self) -> Sequence[EngineStatus]:
        """Return ours, from its first start on."""
        return () if self._process is None else (await self._process.status(),)

    async def start(self) -> None:
        """Start it because a person says so; does nothing where any Ollama answers already.

        Raises ``Conflict`` (``engine_not_startable``), ``EngineMissing``, what is wrong with a
        program that holds the address, and what keeps it from running.
        """
        async with self._changing:
            if self._start == "never":
                raise Conflict(
                    "The settings say that Venom starts no Ollama.",
                    code="engine_not_startable",
                    fix="Set VENOM_OLLAMA__START to asked or auto, or start it: ollama serve",
                )
            if not self._address.is_startable:
                raise Conflict(
                    f"Venom starts an Ollama at 127.0.0.1 only, and it is set to be at "
                    f"{self._address.shown}.",
                    code="engine_not_startable",
                    fix="Start it where it runs, or set OLLAMA_HOST to 127.0.0.1:11434.",
                )
            if not await self._answers():
                await self._launch(anew=True)
                self._wanted = True

    async def stop(self) -> None:
        """Stop ours; it stays stopped until it is asked for. Raises ``Conflict``
        (``engine_not_ours``) where somebody else's answers."""
        async with self._changing:
            if self._process is None or self._process.state in ("stopped", "failed"):
                try:
                    theirs = await self._answers()
                except VenomError:  # whatever holds the port, it is no Ollama of ours
                    theirs = False
                if theirs:
                    raise Conflict(
                        f"The Ollama at {self._address.shown} was not started by Venom, which so "
                        "does not stop it.",
                        code="engine_not_ours",
                        fix="Stop it where it was started: quit its application, or: systemctl stop"
                        " ollama",
                    )
            self._wanted = False
            if self._process is not None:
                await self._process.stop()

    async def revive(self) -> bool:
        """Bring it back, or start it where that is wanted, because nothing answered; return whether
        to ask again. Raises what keeps it from running."""
        if not self._wanted or not self._address.is_startable:
            return False
        if self._process is not None and self._process.running and await self._process.confirm():
            return True
        try:
            await self._launch()
        except EngineMissing:
            return False  # whoever asked is told so, with how to get it
        except VenomError:
            if await self._answers():  # somebody else was quicker
                return True
            raise
        return True

    async def _launch(self, *, anew: bool = False) -> None:
        """Start it; ``anew`` forgets that it failed before, which else makes it wait."""
        process = self._process
        if process is None:
            async with self._finding:
                if self._process is None:
                    self._process = EngineProcess(self._command(await self._find()))
                process = self._process
        before = process.address
        try:
            now = await (process.restart() if anew else process.start())
        except Unavailable as error:
            if error.code != "engine_not_ready":
                raise
            raise Unavailable(
                f"Ollama did not answer within {READY_SECONDS:g} seconds of its start.",
                code=error.code,
                fix="Read its log: venom logs ollama",
            ) from error
        if now is not before:
            self._started()

    async def _find(self) -> str:
        """Return the path of the program. Raises ``EngineMissing``."""
        program = await asyncio.to_thread(look_for, self._program)
        if program.path is None:
            raise EngineMissing(
                f"There is no program {self._program!r} that could be started.",
                fix="Install it from https://ollama.com/download, or set VENOM_OLLAMA__PROGRAM to "
                "where it lies.",
            )
        if program.fault is not None:
            raise EngineMissing(
                f"The program {program.path!r} does not start ({program.fault}).",
                fix="Install it from https://ollama.com/download, or set VENOM_OLLAMA__PROGRAM to "
                "where it lies.",
            )
        return program.path

    def _command(self, program: str) -> EngineCommand:
        # Loopback alone, whatever OLLAMA_HOST says: it asks nobody for a key.
        host = {"OLLAMA_HOST": f"127.0.0.1:{self._address.port}"}
        return EngineCommand(
            name="Ollama",
            args=("serve",),
            program=program,
            port=self._address.port,
            log_file=self._folder / f"{NAME}.log",
            pid_file=self._folder / f"{NAME}.pid",
            env={**self._setup.environment(os.environ), **host},
            ready_path="/api/version",
            ready_timeout=READY_SECONDS,
            stop_timeout=STOP_SECONDS,
            explain=self._explained,
        )

    def _explained(self, lines: Sequence[str]) -> VenomError | None:
        if any(_TAKEN.search(line) for line in lines):
            return Conflict(
                f"Another program holds the address {self._address.shown}.",
                code="port_in_use",
                fix="Stop that program, or set OLLAMA_HOST to another port of this machine.",
            )
        return None
