"""The memory of NVIDIA cards, by which Ollama chooses a context where nobody names one."""

from __future__ import annotations

import asyncio
import contextlib
import shutil

from venom_ollama.memory import DEFAULT_CONTEXT

PROGRAM = "nvidia-smi"
SECONDS = 1.0
_MIB = 2**20
_GIB = 2**30
#: Bytes from which on it takes so many tokens. Source: Ollama 0.24 to 0.32, ``server/routes.go``.
_CONTEXTS = ((47 * _GIB, 262_144), (23 * _GIB, 32_768))


def default_context(graphics_bytes: int) -> int:
    """Return the tokens that Ollama takes with so much memory on its cards."""
    fitting = (tokens for least, tokens in _CONTEXTS if graphics_bytes >= least)
    return next(fitting, DEFAULT_CONTEXT)


async def graphics_memory() -> int:
    """Return the bytes on all cards of this machine; 0 where there are none that tell."""
    program = await asyncio.to_thread(shutil.which, PROGRAM)
    if program is None:
        return 0
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "--query-gpu=memory.total",
            "--format=csv,noheader,nounits",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError:
        return 0
    try:
        async with asyncio.timeout(SECONDS):
            told, _ = await process.communicate()
    except TimeoutError:
        return 0
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return memory_in(told.decode("utf-8", "replace"))


def memory_in(told: str) -> int:
    """Return the sum of what the program prints: MiB, one card a line."""
    counts = [int(line) for line in told.split() if line.isascii() and line.isdigit()]
    return sum(count for count in counts if count < 2**24) * _MIB
