"""The parent's side of a download: starts the child, relays its steps, ends it.

Pausing is ending the child; resuming is another pull, which goes on from what lies in the cache.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from venom_core.sdk.child_process import child_environment
from venom_core.sdk.errors import UpstreamIncomplete, UpstreamTimeout, restored
from venom_core.sdk.provider import PullProgress
from venom_hf.client import Plan

#: A child says something every two seconds, whatever it does.
SILENCE_SECONDS = 60.0
#: A transfer that brings no byte for so long is given up.
STALL_SECONDS = 180.0
END_SECONDS = 3.0
# Read by the library when it is imported, before anything of ours could say otherwise.
_ENVIRONMENT = {
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_VERBOSITY": "error",
}
_NOT_PASSED_ON = (
    "HF_HUB_ENABLE_HF_TRANSFER", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE",
)  # fmt: skip


class Downloads:
    """The running children of one provider.

    Args:
        logger: gets where a child failed, never what the Hub said.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._running: set[asyncio.subprocess.Process] = set()

    async def close(self) -> None:
        for process in list(self._running):
            await self._end(process)

    async def run(
        self,
        plan: Plan,
        have: int,
        cache_dir: Path,
        endpoint: str,
        token: str | None,
        timeout: float,
    ) -> AsyncGenerator[PullProgress, None]:
        """Fetch what the plan names; ends after the last byte was checked. ``aclose()`` ends the
        child and keeps what came. ``have`` bytes are there from before."""
        job = {
            "endpoint": endpoint,
            "token": token,
            "timeout": timeout,
            "cache_dir": str(cache_dir),
            "repo": plan.repo,
            "commit": plan.commit,
            "revision": plan.revision,
            "files": [asdict(file) for file in plan.choice.files],
        }
        process = await self._start(endpoint, timeout)
        try:
            assert process.stdin is not None
            process.stdin.write(json.dumps(job).encode() + b"\n")
            # A child that has ended already is noticed where its words are read.
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(process.stdin.drain(), SILENCE_SECONDS)
            steps = self._steps(process, have, plan.choice.size_bytes)
            async with contextlib.aclosing(steps):
                async for step in steps:
                    yield step
        finally:
            await asyncio.shield(self._end(process))

    async def _start(self, endpoint: str, timeout: float) -> asyncio.subprocess.Process:
        kept = {n: value for n, value in child_environment().items() if n not in _NOT_PASSED_ON}
        seconds = str(max(1, round(timeout)))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "venom_hf.fetcher",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={
                **kept, **_ENVIRONMENT, "HF_ENDPOINT": endpoint,
                "HF_HUB_DOWNLOAD_TIMEOUT": seconds, "HF_HUB_ETAG_TIMEOUT": seconds,
            },
            # Ctrl-C in a terminal is for Venom, which ends its children itself.
            start_new_session=True,
        )  # fmt: skip
        self._running.add(process)
        return process

    async def _steps(
        self, process: asyncio.subprocess.Process, have: int, total: int
    ) -> AsyncGenerator[PullProgress, None]:
        assert process.stdout is not None
        loop = asyncio.get_running_loop()
        last: Mapping[str, Any] = {}
        most, moved = have, loop.time()
        while True:
            try:
                line = await asyncio.wait_for(process.stdout.readline(), SILENCE_SECONDS)
            except TimeoutError:
                raise _stalled() from None
            words = _words(line)
            if words is None:
                raise UpstreamIncomplete(
                    "The download's process ended before it was complete.",
                    fix="Fetch it again: it goes on from there.",
                )
            if words.get("completed"):
                return
            if "refused" in words:
                self._logger.info("download failed: %s", " ".join(words.get("where", ())))
                raise restored(words["refused"])
            if words != last:
                last, moved = words, loop.time()
            elif loop.time() - moved > STALL_SECONDS:
                raise _stalled()
            if not words["file"]:
                continue  # it has not begun
            # A server that cannot go on in the middle begins anew; the bar does not turn back.
            most = max(most, min(int(words["done"]), total))
            if words["stage"] == "verifying":
                yield PullProgress("verifying", f"Checking {words['file']}", most, total)
            else:
                yield PullProgress("pulling", f"Fetching {words['file']}", most, total)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Close the pipe, at which the child ends by itself; SIGKILL where it does not.

        No SIGTERM: asking a process that has just ended to end takes its exit code away from
        asyncio, which then warns.
        """
        if process.stdin is not None:
            process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), END_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        self._running.discard(process)


def _words(line: bytes) -> Mapping[str, Any] | None:
    """Return a child's line; None at the end of its output, and for what is none of its lines."""
    try:
        words = json.loads(line)
    except ValueError:
        return None
    return words if isinstance(words, dict) else None


def _stalled() -> UpstreamTimeout:
    return UpstreamTimeout(
        "The download from Hugging Face came to a standstill.",
        fix="Fetch it again: it goes on from there.",
    )
