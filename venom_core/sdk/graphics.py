"""Graphics cards of this machine: memory, as their makers' drivers tell it.

NVIDIA's are asked of its library where that is installed, else of ``nvidia-smi``; AMD's are read
off the kernel driver's files, which also Ollama reads. Apple's silicon has no memory of its own: a
part of the machine's serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from venom_core.sdk import nvml
from venom_core.sdk.child_process import child_environment
from venom_core.sdk.machine import this_machine
from venom_core.sdk.numbers import MOST_EXACT, digits, real, size
from venom_core.sdk.programs import GPU_PROGRAM

_QUERY = ("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
#: Where Linux lists graphics cards; ``card0-DP-1`` and the like are their sockets.
CARDS = Path("/sys/class/drm")
AMD = "0x1002"
#: What is less is a part of the main memory that the firmware gave to a processor's own graphics.
LEAST_CARD = 1 << 30
MOST_CARDS = 64
APPLE_SECONDS = 1.0
#: A card that sleeps takes seconds to tell of itself.
NVIDIA_SECONDS = 10.0
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Card:
    """One card; None where it does not tell. ``percent`` is how busy it is."""

    percent: float | None
    used_bytes: int | None
    total_bytes: int | None


def has_cards() -> bool:
    """Return whether there is a card that :func:`cards` would ask. Blocks for some small files."""
    return shutil.which(GPU_PROGRAM) is not None or bool(amd_cards())


def has_nvidia() -> bool:
    """Return whether NVIDIA's driver tells of a card here. Blocks, at most ``NVIDIA_SECONDS``."""
    program = shutil.which(GPU_PROGRAM)
    if program is None:
        return False
    try:
        done = subprocess.run(
            [program, *_QUERY],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=child_environment(),
            timeout=NVIDIA_SECONDS,
            check=True,
        )
        return bool(parse_nvidia(done.stdout.decode("utf-8", "replace")))
    except (OSError, ValueError, subprocess.SubprocessError):
        return False


async def cards(seconds: float) -> tuple[Card, ...]:
    """Return every card that tells of itself; none where there is none.

    Args:
        seconds: how long a maker's program may take.

    Raises ``OSError``, ``TimeoutError`` or ``ValueError`` where one is there and does not tell.
    """
    amd = await asyncio.to_thread(amd_cards)
    return (*await _nvidia_cards(seconds), *amd)


async def _nvidia_cards(seconds: float) -> tuple[Card, ...]:
    program = await asyncio.to_thread(shutil.which, GPU_PROGRAM)
    if program is None:
        return ()
    async with asyncio.timeout(seconds):
        told = await asyncio.to_thread(nvml.cards)
    if told is not None:
        return tuple(Card(*card) for card in told)
    text = await _told((program, *_QUERY), seconds)
    return parse_nvidia(text)


def parse_nvidia(text: str) -> tuple[Card, ...]:
    """Parse one line a card: percent, MiB used, MiB in all. Raises ``ValueError`` where there is no
    card in it; what a card does not have (``[N/A]``) or cannot have is None."""
    rows = [line.split(",") for line in text.splitlines() if line.strip()][:MOST_CARDS]
    if not rows or any(len(row) != 3 for row in rows):
        raise ValueError("no card")
    return tuple(Card(_percent(row[0]), _mebibytes(row[1]), _mebibytes(row[2])) for row in rows)


def amd_cards() -> tuple[Card, ...]:
    """Read AMD's cards off their driver's files. Blocks."""
    found: list[Card] = []
    with contextlib.suppress(OSError):
        for place in sorted(CARDS.glob("card[0-9]*"))[:MOST_CARDS]:
            device = place / "device"
            if not place.name[4:].isdigit() or _read(device / "vendor") != AMD:
                continue
            total = digits(_read(device / "mem_info_vram_total"), "amdgpu.total")
            if total is None or total < LEAST_CARD:
                continue
            used = digits(_read(device / "mem_info_vram_used"), "amdgpu.used")
            found.append(Card(_percent(_read(device / "gpu_busy_percent")), used, total))
    return tuple(found)


async def unified_bytes() -> int:
    """Return how much of an Apple machine's memory its graphics may take: what its owner set, else
    three quarters, which is what Metal recommends but for the smallest machines; 0 elsewhere, and
    on Intel's processors, whose graphics no engine uses."""
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return 0
    program = await asyncio.to_thread(shutil.which, "sysctl")
    text = ""
    if program is not None:
        with contextlib.suppress(OSError, TimeoutError):
            text = await _told((program, "-n", "iogpu.wired_limit_mb"), APPLE_SECONDS)
    limit = digits(text.strip() or None, "sysctl.iogpu.wired_limit_mb", MOST_EXACT // _MIB)
    memory = (await asyncio.to_thread(this_machine)).memory_total_bytes
    return min(limit * _MIB, memory) if limit else memory * 3 // 4


async def _told(argv: tuple[str, ...], seconds: float) -> str:
    """Return what a program prints. Raises ``OSError``, or ``TimeoutError`` once it was ended."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=child_environment(),
    )
    try:
        async with asyncio.timeout(seconds):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return told.decode("utf-8", "replace")


def _percent(text: str | None) -> float | None:
    return real(_number(text), "graphics.percent", 0, 100)


def _mebibytes(text: str) -> int | None:
    number = real(_number(text), "graphics.memory", 0, MOST_EXACT // _MIB)
    return None if number is None else size(round(number * _MIB), "graphics.memory")


def _number(text: str | None) -> float | None:
    """Return the number in a cell; None for what is none, ``[N/A]`` for one."""
    with contextlib.suppress(TypeError, ValueError):
        return float((text or "")[:40])
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")[:40].strip()
    except (OSError, ValueError):
        return None
