"""Building the page of a checkout beside a running server. Its failure is a sentence, no more."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from venom_core.sdk.programs import look_for
from venom_core.settings.paths import Paths
from venom_core.ui import is_built

if TYPE_CHECKING:
    import asyncio

STOP_SECONDS = 5.0


def what_is_missing(checkout: Path) -> str | None:
    """Say in a sentence why the page cannot be built here; None where it can. Blocks: programs are
    started to see whether they do."""
    if not (checkout / "Makefile").is_file() or not (checkout / "web").is_dir():
        return "This installation came without its page."
    programs = [look_for(name) for name in ("node", "npm", "make")]
    missing = [program.name for program in programs if program.path is None]
    if missing:
        return (
            f"The page is not built: {' and '.join(missing)} not found. With Node 20 or newer: "
            "make ui"
        )
    broken = [f"{program.name} ({program.fault})" for program in programs if program.fault]
    if broken:
        return (
            f"The page is not built: PATH finds {' and '.join(broken)}, which does not start. With "
            "Node 20 or newer: make ui"
        )
    return None


async def build_page(checkout: Path, paths: Paths) -> str:
    """Run ``make ui`` and say what came of it in a sentence. Cancelled, it ends what it started."""
    # Imported here: asyncio is too slow for a help.
    import asyncio

    from venom_core.sdk.child_process import child_environment, started

    log = paths.logs_dir / "page-build.log"
    file = await asyncio.to_thread(_open_log, paths, log)
    with file:
        starting = asyncio.create_subprocess_exec(
            "make",
            "ui",
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            # Its own group: Ctrl-C reaches it through us, and all of it.
            start_new_session=True,
            env={
                **child_environment(("NPM_TOKEN", "NODE_AUTH_TOKEN")),
                "MAKEFLAGS": "",
                "NEXT_TELEMETRY_DISABLED": "1",
            },
        )
        process = await started(starting, _end)
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            await asyncio.shield(_end(process))
            raise
    if code == 0 and is_built():
        return "The page is built; reload it."
    return f"The page was not built (make ui ended with {code}; see {log}). Everything else works."


def _open_log(paths: Paths, log: Path) -> IO[bytes]:
    paths.make(paths.logs_dir)
    return log.open("wb")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the whole process group: npm's children outlive npm."""
    import asyncio

    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
