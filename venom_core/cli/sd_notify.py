"""Tells the service manager that started this process how the server is: systemd's protocol,
``sd_notify(3)``, which is a datagram to a socket that the environment names."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, MutableMapping, Sequence

from venom_core.sdk.masking import masked
from venom_core.sdk.printable import one_line
from venom_core.sdk.states import Reason

log = logging.getLogger(__name__)

#: Seconds that a profile which cannot be served keeps the server from being called started: without
#: Ollama the page and the API are there all the same, and systemd would end them.
READY_SECONDS = 20.0
#: Between two looks whether the profile can be served by now.
LOOK_SECONDS = 0.5
LATE_LOOK_SECONDS = 15.0
MAX_STATUS = 500

Readiness = Callable[[], Awaitable[Sequence[Reason]]]


class ServiceManager:
    """The one who started us.

    Args:
        address: of its socket; one that begins with ``@`` is in the abstract namespace.
        watchdog_seconds: within which it wants to hear that we live; None where it does not.
    """

    def __init__(self, address: str, watchdog_seconds: float | None = None) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog_seconds = watchdog_seconds
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> ServiceManager | None:
        """Return the one that the environment names, None where there is none. The variables are
        taken out: an engine that we start is not who was asked."""
        address = environment.pop("NOTIFY_SOCKET", "")
        usec = environment.pop("WATCHDOG_USEC", "")
        pid = environment.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
            return None
        asked = usec.isascii() and usec.isdigit() and int(usec) > 0
        ours = pid in ("", str(os.getpid()))
        return cls(address, int(usec) / 1e6 if asked and ours else None)

    def tell(self, **states: str) -> None:
        """Send states, such as ``READY="1"``. One that cannot be sent is logged and forgotten."""
        lines = [f"{name}={one_line(masked(text))[:MAX_STATUS]}" for name, text in states.items()]
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto("\n".join(lines).encode("utf-8", "replace"), self._address)
        except OSError as error:
            log.warning("the service manager cannot be told %s: %s", " ".join(states), error)

    def begin(self, profile: str, readiness: Readiness) -> None:
        """Say from now on that the event loop runs and, once ``profile`` can be served, that the
        server is ready; call it on the loop."""
        self._tasks.append(asyncio.create_task(self._tell_ready(profile, readiness)))
        if self._watchdog_seconds is not None:
            self._tasks.append(asyncio.create_task(self._live(self._watchdog_seconds / 2)))

    async def end(self) -> None:
        """Say no more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stopping(self) -> None:
        """Say that the server is about to end."""
        self.tell(STOPPING="1", STATUS="Stopping: answers under way get a moment.")

    async def _live(self, pause: float) -> None:
        while True:
            self.tell(WATCHDOG="1")
            await asyncio.sleep(pause)

    async def _tell_ready(self, profile: str, readiness: Readiness) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + READY_SECONDS
        told: str | None = None
        while True:
            missing = await _asked(readiness, max(until - loop.time(), LATE_LOOK_SECONDS))
            if missing == "" or loop.time() >= until:
                status = f"Profile {profile}: {missing or 'ready'}"
                if told is None:
                    self.tell(READY="1", STATUS=status)
                elif told != status:
                    self.tell(STATUS=status)
                told = status
            if missing == "":
                return
            await asyncio.sleep(LOOK_SECONDS if told is None else LATE_LOOK_SECONDS)


async def _asked(readiness: Readiness, seconds: float) -> str:
    """Return what is missing, in words; empty where nothing is."""
    try:
        missing = await asyncio.wait_for(readiness(), seconds)
    except TimeoutError:
        return "not known yet"
    except Exception:
        log.exception("whether the profile can be served is not known")
        return "not known"
    return " ".join(reason.message for reason in missing)
